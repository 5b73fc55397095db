// Gradients of Gather, GatherV2, GatherNd.
#include "millrace/ops/array/gather_grad.h"

#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace array {

GatherTable GatherTable::Along(const Extents& shape, int axis, int batch_dims) {
  return {shape, shape.Part(0, batch_dims), shape.Part(batch_dims, axis), shape.Part(axis, axis + 1),
          shape.Part(axis + 1)};
}

Output GatherGradient(At at, const Output& grad, const GatherTable& table, const Output& indices, int batch_dims) {
  const Extents batch = table.batch.Product(at), outer = table.outer.Product(at), inner = table.inner.Product(at);
  const Extents places = Extents::ShapeOf(at, indices).Part(batch_dims).Product(at);
  const Extents& length = table.length;
  // The axis moves in front of the outer dimensions; then the batches are parts of
  // one table of rows, one behind the other.
  const bool move = outer.numbers() != std::vector<int64_t>{1};
  const auto swap = [&](const Output& x) { return move ? ops::Transpose(at, x, {0, 2, 1, 3}) : x; };
  const Output slices = ops::Reshape(at, grad, batch.Then(outer).Then(places).Then(inner).Vector(at));
  const Extents row = outer.Then(inner).Product(at);
  const Output rows = ops::Reshape(at, swap(slices), batch.Then(places).Product(at).Then(row).Vector(at));
  Output numbers = Flatten(at, indices);
  if (batch_dims > 0) {
    const Output begin = ops::Range(at, 0, batch.Scalar(at), 1) * length.Scalar(at);
    const Output in_batch = ops::Reshape(at, ops::Cast(at, indices, DType::kInt32), batch.Then(places).Vector(at));
    numbers = Flatten(at, in_batch + ops::Reshape(at, begin, {-1, 1}));
  }
  const Output sums = ops::UnsortedSegmentSum(at, rows, numbers, batch.Then(length).Product(at).Scalar(at));
  const Output back = swap(ops::Reshape(at, sums, batch.Then(length).Then(outer).Then(inner).Vector(at)));
  return ops::Reshape(at, back, table.shape.Vector(at));
}

Gradient GatherRowsGradient(At at, const Output& grad, const Extents& table, const Output& indices) {
  const Extents places = Extents::ShapeOf(at, indices).Product(at);
  const Output rows = ops::Reshape(at, grad, places.Then(table.Part(1)).Vector(at));
  return IndexedSlices{rows, IndexOperand(at, Flatten(at, indices)), table.Tensor(at)};
}

}  // namespace array

namespace {

using array::Extents;
using array::GatherTable;

void GatherGradient(GradientContext& g) {
  g.set(0, array::GatherRowsGradient(g, g.grad(), Extents::ShapeOf(g, g.input()), g.input(1)));
}

// The axis is said at the run.
GatherTable TableOf(GradientContext& g, const Extents& shape, int batch_dims) {
  const Operand dims = shape.Vector(g);
  const Output axis = ops::FloorMod(g, ops::Cast(g, g.input(2), DType::kInt32), ops::Rank(g, g.input()));
  const Output place = ops::Reshape(g, axis, {1});
  const auto part = [&](const Operand& begin, const Operand& count) {
    return Extents::ElementsOf(g, ops::Slice(g, dims, begin, count));
  };
  return {shape, shape.Part(0, batch_dims), part({batch_dims}, place - batch_dims), part(place, {1}),
          part(place + 1, {-1})};
}

void GatherV2Gradient(GradientContext& g) {
  const Output params = g.input(), indices = g.input(1);
  const Extents shape = Extents::ShapeOf(g, params);
  const int rank = params.shape().rank();
  int64_t batch_dims = g.attr<int64_t>("batch_dims");
  if (batch_dims < 0) batch_dims += indices.shape().rank();
  if (batch_dims < 0) return g.Fail("the rank of the indices must be known where batch_dims is negative");
  const auto batch = static_cast<int>(batch_dims);
  const std::optional<std::vector<int64_t>> known = array::KnownIntegers(g.input(2));
  if (!known || known->size() != 1 || (known->front() < 0 && rank < 0)) {
    return g.set(0, array::GatherGradient(g, g.grad(), TableOf(g, shape, batch), indices, batch));
  }
  const auto axis = static_cast<int>(known->front() < 0 ? known->front() + rank : known->front());
  if (axis == 0) return g.set(0, array::GatherRowsGradient(g, g.grad(), shape, indices));
  g.set(0, array::GatherGradient(g, g.grad(), GatherTable::Along(shape, axis, batch), indices, batch));
}

void GatherNdGradient(GradientContext& g) {
  const Output params = g.input(), indices = g.input(1);
  const Extents shape = Extents::ShapeOf(g, params);
  const SymShape& places = indices.shape();
  if (places.rank() == 2 && places.dims[1] == Dim(1)) {
    return g.set(0, array::GatherRowsGradient(g, g.grad(), shape, indices));
  }
  const Output index = array::IndexOperand(g, indices);
  g.set(0, ops::ScatterNd(g, index, g.grad(), shape.Vector(g, index.dtype())));
}

}  // namespace

namespace gradients {

void array_gather(GradientTable& t) {
  t.Define("Gather", GatherGradient);
  t.Define("GatherNd", GatherNdGradient);
  t.Define("GatherV2", GatherV2Gradient);
}

}  // namespace gradients
}  // namespace millrace
