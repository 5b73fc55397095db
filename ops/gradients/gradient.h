// Gradient: the gradient with respect to one tensor; and Gradients, which adds
// the nodes that compute it.
#pragma once

#include <vector>

#include "millrace/ops/builder/call.h"
#include "millrace/ops/builder/scope.h"

namespace millrace {

// Rows of a large tensor: values[i] is added at row indices[i] (rows may repeat).
struct IndexedSlices {
  Output values;       // [n, ...]
  Output indices;      // [n], int32 or int64
  Output dense_shape;  // vector of the extents of the whole; not valid: unknown
};

// None, a dense tensor, or slices.
class Gradient {
 public:
  Gradient() = default;                                                          // none
  Gradient(const Output& dense) : dense_(dense) {}                               // NOLINT: implicit on purpose
  Gradient(const Operation& dense) : dense_(dense.output(0)) {}                  // NOLINT
  Gradient(IndexedSlices slices) : sparse_(true), slices_(std::move(slices)) {}  // NOLINT

  bool none() const { return !sparse_ && !dense_.valid(); }
  bool sparse() const { return sparse_; }
  // The dense tensor; not valid where none() or sparse().
  const Output& dense() const { return dense_; }
  const IndexedSlices& slices() const { return slices_; }
  // The gradient as a dense tensor: slices are summed into zeros (duplicates
  // add up). Not valid where none().
  Output ToDense(At at) const;

 private:
  bool sparse_ = false;
  Output dense_;
  IndexedSlices slices_;
};

struct GradientOptions {
  // Gradients that flow into the ys: one each, of its shape and dtype; one that
  // is not valid, and no list at all, means ones.
  std::vector<Output> grad_ys = {};
  // Taken for constants: nothing flows through them to what they are made of.
  std::vector<Output> stop_gradients = {};
  // For an x that no y depends on: no gradient, or zeros of its shape.
  enum class Unconnected { kNone, kZero } unconnected = Unconnected::kNone;
};

// Adds the nodes that compute the gradients of the sum of `ys` with respect to
// each of `xs`, in reverse mode, and returns one gradient for each x, of its
// shape and dtype. An x may be any tensor, a variable's reference or resource
// handle included: the gradient is then that of its value. New nodes are named
// "gradients/..." in the scope and expand to standard ops.
//
// Several paths are added up (AddN; slices are joined). Integer, boolean and
// string tensors pass nothing on, nor do ops whose definition says so
// (OpBuilder::NoGradient). Errors, in the scope's status: an op on a path from an
// x to a y that has neither gradient nor such a statement, or that refuses, is
// named, with the path; a gradient function that gives another dtype or shape
// than its input's; grad_ys that do not fit; ys that are booleans or strings, and
// complex ones without an entry in grad_ys.
//
// The gradient of a node is that of its op (OpBuilder::Gradient, or the built-in
// one), or the one that its attribute "_gradient_op_type" names
// (Registry::DefineGradient, Scope::WithGradientOverride). The results can be
// differentiated again.
std::vector<Gradient> Gradients(At at, const std::vector<Output>& ys, const std::vector<Output>& xs,
                                const GradientOptions& options = {});

// The same as one node of op "Gradients", which the compiler expands: the graph
// stays small, and every x gets a tensor, zeros where no y depends on it.
// stop_gradients must be empty.
std::vector<Output> DeferredGradients(At at, const std::vector<Output>& ys, const std::vector<Output>& xs,
                                      const std::vector<Output>& grad_ys = {});

}  // namespace millrace
