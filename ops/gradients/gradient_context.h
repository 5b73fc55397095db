// GradientContext: what a gradient function sees of one node, and where it puts
// what it makes.
#pragma once

#include <source_location>
#include <string_view>
#include <vector>

#include "millrace/ops/builder/scope.h"
#include "millrace/ops/gradients/gradient.h"

namespace millrace {

// A gradient function adds the nodes that compute the gradients of a node's
// inputs from those of its outputs, with the builder's calls; the context stands
// where they want a scope. New nodes are named "<scope>/<node>_grad/...", and
// placed with the forward node.
//
//   void TanhGradient(GradientContext& g) { g.set(0, ops::TanhGrad(g, g.output(), g.grad())); }
//
// Nothing has to be set: an input without a gradient passes none on.
class GradientContext {
 public:
  // One gradient for each output. `wanted` says which inputs a gradient is asked
  // for; empty: all. Errors are reported for the line `where`.
  GradientContext(const Scope& scope, Node& node, std::vector<Gradient> grads, std::vector<bool> wanted = {},
                  std::source_location where = std::source_location::current());

  operator At() const { return At(scope_, where_); }  // NOLINT: the first argument of builder calls
  const Scope& scope() const { return scope_; }
  const Node& node() const { return node_; }

  int num_inputs() const { return static_cast<int>(node_.inputs().size()); }
  int num_outputs() const { return node_.num_outputs(); }
  Output input(int i = 0) const;
  Output output(int i = 0) const;
  // The gradient that flows into output i, as a dense tensor of its shape and
  // dtype; zeros where nothing flows.
  Output grad(int i = 0);
  bool has_grad(int i) const { return !gradient(i).none(); }
  // The same, as it came: dense, slices or none.
  const Gradient& gradient(int i = 0) const { return grads_[static_cast<size_t>(i)]; }
  // False where the gradient of input i would be thrown away: a function may
  // leave out what is long. Setting it is no error.
  bool wanted(int i) const { return wanted_.empty() || wanted_[static_cast<size_t>(i)]; }

  // An attribute of the node: int64_t, float, bool, DType, std::string, ...
  template <typename T>
  const T& attr(std::string_view name) const {
    return *node_.attrs().find(name)->second.template get<T>();
  }
  DType type(std::string_view name = "T") const { return BaseType(attr<DType>(name)); }

  // The gradient of input i. Setting one twice is an error of the function.
  void set(int i, Gradient gradient);
  // The same for an operand that was broadcast to output 0's shape: summed over
  // the dimensions that the broadcast made. Inputs `a` and `b` are the two that
  // met; `i` is one of them. Where more than two meet, `b` is kOutput.
  static constexpr int kOutput = -1;
  void SetBroadcast(int i, const Output& gradient, int a = 0, int b = 1);
  // There is no gradient: the error names the node, the path to it and `reason`.
  void Fail(std::string reason);

  const std::vector<Gradient>& results() const { return results_; }
  const Status& status() const { return status_; }

  // The conjugate where the dtype is complex, else x itself.
  Output Conj(const Output& x) const;
  // A constant of x's dtype: g.Number(2, x).
  Output Number(double value, const Output& like) const;

 private:
  // What both operands of a broadcast need, made once.
  struct Broadcast {
    int a, b;
    Output shapes[2], axes[2];
  };
  const Broadcast& BroadcastOf(int a, int b);

  Scope scope_;
  Node& node_;
  std::source_location where_;
  std::vector<Gradient> grads_;
  std::vector<Output> dense_;  // of grads_, where asked for
  std::vector<bool> wanted_;
  std::vector<Gradient> results_;
  std::vector<bool> set_;
  std::vector<Broadcast> broadcasts_;
  Status status_;
};

// The gradient function of an op that has none and through which asking for one
// is an error, rather than none that passes silently. The reason is that of the
// definition (OpBuilder::NoGradient).
void RefuseGradient(GradientContext& g);

}  // namespace millrace
