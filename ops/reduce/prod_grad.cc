// Gradients of Prod and EuclideanNorm.
#include "millrace/ops/array/extents.h"
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/builder/reduce_ops.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/reduce/back.h"

namespace millrace {
namespace {

// The product of all other elements along the axis: those before times those
// after, so that zeros do no harm.
Output ProductOfOthers(GradientContext& g, const Output& x, const Operand& axis) {
  return ops::Cumprod(g, x, axis, {.exclusive = true}) * ops::Cumprod(g, x, axis, {.exclusive = true, .reverse = true});
}

// The same over the reduced dimensions.
Output ProductOfOthers(GradientContext& g) {
  using array::Extents;
  const Output x = g.input();
  const Extents shape = Extents::ShapeOf(g, x);
  const auto known = reduce::ReducedAxes(g);
  if (known && known->size() == 1) return ProductOfOthers(g, x, static_cast<int>((*known)[0]));
  if (known && static_cast<int>(known->size()) == x.shape().rank()) {
    return ops::Reshape(g, ProductOfOthers(g, array::Flatten(g, x), 0), shape.Vector(g));
  }
  // The reduced dimensions go to the front, as one.
  const Operand all = array::AllAxes(g, x);
  Output axes = ops::Reshape(g, ops::Cast(g, g.input(1), DType::kInt32), {-1});
  axes = ops::SelectV2(g, axes < 0, axes + ops::Rank(g, x), axes);
  const Output order = ops::ConcatV2(g, {axes, ops::ListDiff(g, all, axes).out}, 0);
  const Output front = ops::Transpose(g, x, order);
  const Output count = ops::Prod(g, ops::Gather(g, shape.Tensor(g), axes), 0);
  const Output rows = ops::Reshape(g, front, ops::Pack(g, {count, ops::Size(g, x) / ops::Maximum(g, count, 1)}));
  const Output others = ops::Reshape(g, ProductOfOthers(g, rows, 0), ops::Shape(g, front));
  return ops::Transpose(g, others, ops::InvertPermutation(g, order));
}

void ProdGradient(GradientContext& g) { g.set(0, reduce::WithReducedDims(g, g.grad()) * g.Conj(ProductOfOthers(g))); }

// x over the norm.
void NormGradient(GradientContext& g) { g.set(0, g.input() * reduce::WithReducedDims(g, g.grad() / g.output())); }

}  // namespace

namespace gradients {

void reduce_prod(GradientTable& t) {
  t.Define("Prod", ProdGradient);
  t.Define("EuclideanNorm", NormGradient);
}

}  // namespace gradients
}  // namespace millrace
