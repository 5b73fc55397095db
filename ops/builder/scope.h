// Scope: where the builder's calls put their nodes, and how they are named.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/ops/builder/output.h"
#include "millrace/ops/graph/graph.h"
#include "millrace/proto/value/status.h"

namespace millrace {

// A graph under construction with a name scope, a device, control inputs and so
// on for the nodes that are added through it. Scopes are values: the calls below
// return a new scope and leave this one alone; all of them share one graph and
// one status.
//
//   Scope root = Scope::NewRoot();
//   Output x = ops::Placeholder(root.WithOpName("x"), DType::kFloat, {.shape = Shape({-1, 784})});
//   Scope layer = root.NewSubScope("layer1");
//   Output h = ops::Relu(layer, ops::MatMul(layer, x, w) + b);
//   if (!root.ok()) ...                      // what was wrong, and where
//
// Errors: a call that does not fit (dtypes, shapes, attributes, names) adds
// nothing, returns no tensor, and sets the status of the graph's scopes: the
// first error, with the line of the program that asked, the node's full name,
// op, argument, expected and found. Calls after that do nothing. OnError gives a
// program the chance to stop right there.
//
// Not thread-safe: one thread builds a graph.
class Scope {
 public:
  // A scope over a new, empty graph. `registry` outlives the graph.
  static Scope NewRoot(const Registry& registry = Registry::BuiltIn());
  // A scope over a graph that is there, imported for example.
  explicit Scope(std::shared_ptr<Graph> graph);
  // The scope that made `output`, without its WithOpName; `output` is valid.
  static Scope Of(const Output& output);
  // From Output::state() or Operation::state(); not null, its graph lives.
  explicit Scope(const ScopeState* state);

  // Names of nodes go under "name/"; where that is taken, under "name_1/" and so
  // on, as in the original. Expects letters, digits and any of _.\/>- (but for '.'
  // not as the first of a name at the root).
  Scope NewSubScope(std::string_view name) const;
  // The next node is called that (made unique: "x", "x_1" ...) rather than after
  // its op. A call that adds several nodes uses it as the scope of the others.
  Scope WithOpName(std::string_view name) const;
  // For such calls: the sub-scope for their nodes, called after WithOpName, else
  // `name`.
  Scope ForCall(std::string_view name) const;
  // Names go under `name_scope` as it is ("outer/inner/" as name_scope() gives it,
  // "" for the root), although it is taken: for nodes that belong to one that is
  // there, as a slot belongs to its variable.
  Scope InNameScope(std::string_view name_scope) const;
  // Nodes run after these, besides those that this scope has already.
  Scope WithControlDependencies(const std::vector<Operation>& operations) const;
  Scope WithControlDependencies(const Operation& operation) const;
  Scope WithControlDependencies(const Output& output) const;
  Scope WithNoControlDependencies() const;
  // Nodes ask for that device ("/device:CPU:0"); what it leaves open is taken
  // from this scope's.
  Scope WithDevice(std::string_view device) const;
  // Nodes are placed where that one is (attribute "_class"): with its device, and
  // in its group where it is itself colocated. Groups of scopes inside each other
  // add up.
  Scope ColocateWith(const Operation& operation) const;
  Scope ColocateWith(const Output& output) const;
  // The gradient of nodes of `op` that are added here is the one registered as
  // `gradient` (attribute "_gradient_op_type").
  Scope WithGradientOverride(std::string_view op, std::string_view gradient) const;
  // Nodes get this attribute besides those of their op ("_name").
  Scope WithAttr(std::string_view name, AttrValue value) const;

  const std::shared_ptr<Graph>& graph() const;
  bool ok() const { return status().ok(); }
  // The first error of all scopes of this graph.
  const Status& status() const;
  // Makes `status` the scopes' status, if it is the first error; the message gets
  // the place in the program.
  void Fail(Status status, std::source_location where = std::source_location::current()) const;
  // Called once, at the first error, from within the call that was wrong. Holds
  // no Scope, see Extension.
  void OnError(std::function<void(const Status&)> handler) const;

  // Named lists of nodes, as the original's collections: "trainable_variables",
  // "variables", "losses", "update_ops" ... They belong to the graph's scopes.
  void AddToCollection(std::string_view collection, const Output& output) const;
  std::vector<Output> Collection(std::string_view collection) const;

  // "outer/inner/", or "" at the root.
  const std::string& name_scope() const;
  // For calls that add nodes: the full, unique name of the next node, which is
  // after `op` unless WithOpName says otherwise.
  std::string UniqueName(std::string_view op) const;
  // What this scope adds to a node of `spec.op` with a name and attributes of its
  // own: device, control inputs and attributes.
  void Complete(NodeSpec* spec) const;
  const ScopeState* state() const { return state_; }
  // What other parts of the builder keep with the graph (variables, loops),
  // made at the first call; one object a type name. It holds no Scope: that would
  // keep the graph alive for ever.
  std::shared_ptr<void>& Extension(std::string_view type) const;

 private:
  Scope(std::shared_ptr<Graph> graph, const ScopeState* state);
  // This scope with a state that `change` has changed.
  template <typename Change>
  Scope With(const Change& change) const;

  std::shared_ptr<Graph> graph_;
  const ScopeState* state_ = nullptr;
  std::string op_name_;
};

// The first argument of every call that builds: a scope, and the line of the
// program that called. Made from a scope by itself.
class At {
 public:
  At(const Scope& scope, std::source_location where = std::source_location::current())  // NOLINT: implicit on purpose
      : scope_(scope), where_(where) {}
  const Scope& scope() const { return scope_; }
  std::source_location where() const { return where_; }
  // The same line in another scope.
  At In(const Scope& scope) const { return At(scope, where_); }

 private:
  Scope scope_;
  std::source_location where_;
};

}  // namespace millrace
