// Output and Operation: what the builder's calls return. Handles into a graph
// that is being built; cheap to copy.
#pragma once

#include <string>

#include "millrace/ops/graph/graph.h"

namespace millrace {

struct ScopeState;

// A tensor of a graph under construction: one output of a node. Valid as long as
// the graph lives; the default is no tensor, which every call that gets it passes
// on: after the first error of a scope nothing more is added, and the scope's
// status says what was wrong. Not thread-safe, like the graph.
//
// Arithmetic on outputs builds nodes too: see operators.h.
class Output {
 public:
  Output() = default;
  // `state` is that of the scope which made it; operators build their nodes there.
  Output(Endpoint endpoint, const ScopeState* state) : endpoint_(endpoint), state_(state) {}

  bool valid() const { return endpoint_.node != nullptr; }
  Endpoint endpoint() const { return endpoint_; }
  const ScopeState* state() const { return state_; }
  // Only where valid().
  Node& node() const { return *endpoint_.node; }
  int index() const { return endpoint_.index; }
  // Reference types are those of the node: see BaseType.
  DType dtype() const;
  // As far as inference knows it; dims may be symbols.
  const SymShape& shape() const;
  // "name:0", as Session::Run and GraphDef inputs take it; "" where not valid.
  std::string name() const;
  operator std::string() const { return name(); }  // NOLINT: feeds and fetches take outputs

  friend bool operator==(const Output& a, const Output& b) { return a.endpoint_ == b.endpoint_; }

 private:
  Endpoint endpoint_;
  const ScopeState* state_ = nullptr;
};

// A node of a graph under construction.
class Operation {
 public:
  Operation() = default;
  Operation(Node* node, const ScopeState* state) : node_(node), state_(state) {}
  // The node that an output is of.
  Operation(const Output& output)  // NOLINT: implicit on purpose
      : node_(output.endpoint().node), state_(output.state()) {}

  bool valid() const { return node_ != nullptr; }
  Node* node() const { return node_; }
  const ScopeState* state() const { return state_; }
  int num_outputs() const { return node_ == nullptr ? 0 : node_->num_outputs(); }
  // No tensor where the operation is not valid.
  Output output(int i = 0) const { return node_ == nullptr ? Output() : Output({node_, i}, state_); }
  // The node's name, as a target of Session::Run; "" where not valid.
  std::string name() const { return node_ == nullptr ? std::string() : node_->name(); }
  operator std::string() const { return name(); }  // NOLINT: targets take operations

 private:
  Node* node_ = nullptr;
  const ScopeState* state_ = nullptr;
};

}  // namespace millrace
