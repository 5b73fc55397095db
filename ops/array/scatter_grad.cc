// Gradients of ScatterNd and of the ops that change parts of a tensor.
#include "millrace/ops/array/extents.h"
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

void ScatterNdGradient(GradientContext& g) { g.set(1, ops::GatherNd(g, g.grad(), g.input(0))); }

// The rest: inputs are the tensor, the indices and the updates.
void AddGradient(GradientContext& g) {
  g.set(0, g.grad());
  g.set(2, ops::GatherNd(g, g.grad(), g.input(1)));
}
void SubGradient(GradientContext& g) {
  g.set(0, g.grad());
  g.set(2, -ops::GatherNd(g, g.grad(), g.input(1)));
}
void UpdateGradient(GradientContext& g) {
  g.set(0, ops::TensorScatterUpdate(g, g.grad(), g.input(1), ops::ZerosLike(g, g.input(2))));
  g.set(2, ops::GatherNd(g, g.grad(), g.input(1)));
}

// Shared equally by all that have the extreme value.
void ExtremeGradient(GradientContext& g) {
  const Output tensor = g.input(0), indices = g.input(1), updates = g.input(2), grad = g.grad();
  const DType dtype = grad.dtype();
  const Output kept = ops::Cast(g, ops::Equal(g, tensor, g.output()), dtype);
  const Output taken = ops::Cast(g, ops::Equal(g, updates, ops::GatherNd(g, g.output(), indices)), dtype);
  const Output share = grad / ops::TensorScatterAdd(g, kept, indices, taken);
  g.set(0, share * kept);
  g.set(2, ops::GatherNd(g, share, indices) * taken);
}

}  // namespace

namespace gradients {

void array_scatter(GradientTable& t) {
  t.Define("ScatterNd", ScatterNdGradient);
  t.Define("ScatterNdNonAliasingAdd", AddGradient);
  t.Define("TensorScatterAdd", AddGradient);
  t.Define("TensorScatterMax", ExtremeGradient);
  t.Define("TensorScatterMin", ExtremeGradient);
  t.Define("TensorScatterSub", SubGradient);
  t.Define("TensorScatterUpdate", UpdateGradient);
}

}  // namespace gradients
}  // namespace millrace
