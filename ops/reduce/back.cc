#include "millrace/ops/reduce/back.h"

#include <algorithm>

#include "millrace/ops/array/extents.h"
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/builder/reduce_ops.h"

namespace millrace::reduce {
namespace {

using array::Extents;

bool Contains(const std::vector<int64_t>& axes, int axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

// The input's shape with 1 for each reduced dimension.
Operand KeptShape(GradientContext& g) {
  const Output x = g.input();
  const Extents shape = Extents::ShapeOf(g, x);
  if (const auto axes = ReducedAxes(g)) {
    Extents kept;
    for (int k = 0; k < x.shape().rank(); ++k) {
      kept = kept.Then(Contains(*axes, k) ? Extents({1}) : shape.Part(k, k + 1));
    }
    return kept.Vector(g);
  }
  // Ones are stitched over the extents at the axes.
  const Output rank = ops::Rank(g, x), axes = ops::Cast(g, g.input(1), DType::kInt32);
  const Output from_0 = ops::SelectV2(g, axes < 0, axes + rank, axes);
  return ops::DynamicStitch(g, {ops::Range(g, 0, rank, 1), from_0}, {shape.Vector(g), ops::OnesLike(g, from_0)});
}

}  // namespace

std::optional<std::vector<int64_t>> ReducedAxes(const GradientContext& g) {
  const int rank = g.input().shape().rank();
  std::optional<std::vector<int64_t>> axes = array::KnownIntegers(g.input(1));
  if (rank < 0 || !axes) return std::nullopt;
  for (int64_t& axis : *axes) axis += axis < 0 ? rank : 0;
  std::sort(axes->begin(), axes->end());
  return axes;
}

Output WithReducedDims(GradientContext& g, const Output& result) {
  return g.attr<bool>("keep_dims") ? result : ops::Reshape(g, result, KeptShape(g));
}

Output SpreadBack(GradientContext& g, const Output& result) {
  return ops::BroadcastTo(g, WithReducedDims(g, result), Extents::ShapeOf(g, g.input()).Vector(g));
}

Output ReducedCount(GradientContext& g) {
  Operand count;
  if (const auto axes = ReducedAxes(g)) {
    const Extents shape = Extents::ShapeOf(g, g.input());
    Extents reduced;
    for (const int64_t axis : *axes)
      reduced = reduced.Then(shape.Part(static_cast<int>(axis), static_cast<int>(axis) + 1));
    count = reduced.Product(g).Scalar(g);
  } else {
    count = ops::Size(g, g.input()) / ops::Maximum(g, ops::Size(g, g.output()), 1);
  }
  return ops::Cast(g, count, g.type());
}

}  // namespace millrace::reduce
