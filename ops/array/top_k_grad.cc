// Gradients of TopK and TopKV2: the chosen elements get theirs back.
#include "millrace/ops/array/extents.h"
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

using array::Extents;

// The extent of the last dimension, and those of the others.
Extents Last(At at, const Output& x) {
  const int rank = x.shape().rank();
  if (rank >= 0) return Extents::ShapeOf(at, x).Part(rank - 1);
  return Extents::ElementsOf(at, ops::StridedSlice(at, ops::Shape(at, x), {-1}, {0}, {1}, {.end_mask = 1}));
}
Extents Outer(At at, const Output& x) {
  const int rank = x.shape().rank();
  if (rank >= 0) return Extents::ShapeOf(at, x).Part(0, rank - 1);
  const Output others = ops::Reshape(at, ops::Rank(at, x) - 1, {1});
  return Extents::ElementsOf(at, ops::Slice(at, ops::Shape(at, x), {0}, others));
}

void TopKGradient(GradientContext& g) {
  const Output input = g.input(), chosen = array::IndexOperand(g, g.output(1));
  const DType dtype = chosen.dtype();
  const Extents rows = Outer(g, input).Product(g), length = Last(g, input);
  // Where each row begins in the input as one vector.
  const Output begin = ops::Range(g, Const(g, 0, dtype), rows.Scalar(g, dtype), 1) * length.Scalar(g, dtype);
  const Output places = ops::Reshape(g, chosen, rows.Then(Last(g, chosen)).Vector(g)) + ops::Reshape(g, begin, {-1, 1});
  const Output elements = ops::ScatterNd(g, ops::Reshape(g, places, {-1, 1}), array::Flatten(g, g.grad()),
                                         rows.Then(length).Product(g).Vector(g, dtype));
  g.set(0, array::ReshapeLike(g, elements, input));
}

}  // namespace

namespace gradients {

void array_top_k(GradientTable& t) {
  t.Define("TopK", TopKGradient);
  t.Define("TopKV2", TopKGradient);
}

}  // namespace gradients
}  // namespace millrace
