// Gradients of Gather, GatherV2, GatherNd.
#include "millrace/ops/array/gather_grad.h"

#include <algorithm>
#include <numeric>

#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace array {
namespace {

// 0 ... rank - 1 with `axis` moved to `place`, further in front; and back.
std::vector<int64_t> MoveAxis(int rank, int axis, int place) {
  std::vector<int64_t> order(static_cast<size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  std::rotate(order.begin() + place, order.begin() + axis, order.begin() + axis + 1);
  return order;
}
std::vector<int64_t> MoveAxisBack(int rank, int axis, int place) {
  std::vector<int64_t> order(static_cast<size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  std::rotate(order.begin() + place, order.begin() + place + 1, order.begin() + axis + 1);
  return order;
}

Gradient RowsGradient(At at, const Output& rows, const Output& indices, const Extents& table) {
  return IndexedSlices{rows, IndexOperand(at, Flatten(at, indices)), table.Tensor(at)};
}

}  // namespace

Gradient GatherGradient(At at, const Output& grad, const Extents& table, const Output& indices, int axis,
                        int batch_dims) {
  const Extents places = Extents::ShapeOf(at, indices).Part(batch_dims).Product(at);
  if (axis == 0) {
    const Output rows = ops::Reshape(at, grad, places.Then(table.Part(1)).Vector(at));
    return RowsGradient(at, rows, indices, table);
  }
  // The axis moves behind the batch's dimensions. Then all batches are rows of one
  // table, and those of a batch begin behind those of the batches before it.
  const int rank = table.size();
  const Extents outer = table.Part(0, axis), length = table.Part(axis, axis + 1), inner = table.Part(axis + 1);
  Output values = ops::Reshape(at, grad, outer.Then(places).Then(inner).Vector(at));
  if (axis != batch_dims) values = ops::Transpose(at, values, Operand(MoveAxis(rank, axis, batch_dims)));
  const Extents batch = table.Part(0, batch_dims), row = table.Part(batch_dims, axis).Then(inner);
  const Extents batches = batch.Product(at);
  Output rows = indices;
  if (batch_dims > 0) {
    const Output first = ops::Mul(at, ops::Range(at, 0, batches.Scalar(at), 1), length.Scalar(at));
    rows = ops::AddV2(at, ops::Reshape(at, ops::Cast(at, indices, DType::kInt32), batches.Then(places).Vector(at)),
                      ops::Reshape(at, first, {-1, 1}));
  }
  values = ops::Reshape(at, values, batches.Then(places).Product(at).Then(row).Vector(at));
  Output sums = ops::UnsortedSegmentSum(at, values, Flatten(at, rows), batches.Then(length).Product(at).Scalar(at));
  sums = ops::Reshape(at, sums, batch.Then(length).Then(row).Vector(at));
  if (axis == batch_dims) return sums;
  return ops::Transpose(at, sums, Operand(MoveAxisBack(rank, axis, batch_dims)));
}

}  // namespace array

namespace {

using array::Extents;

void GatherGradient(GradientContext& g) {
  g.set(0, array::GatherGradient(g, g.grad(), Extents::ShapeOf(g, g.input()), g.input(1), 0, 0));
}

void GatherV2Gradient(GradientContext& g) {
  const Output params = g.input(), indices = g.input(1);
  const int rank = params.shape().rank();
  const std::optional<std::vector<int64_t>> axis_value = array::KnownIntegers(g.input(2));
  int64_t batch_dims = g.attr<int64_t>("batch_dims");
  if (batch_dims < 0) batch_dims += indices.shape().rank();
  if (!axis_value || axis_value->size() != 1) return g.Fail("the axis must be known while the gradient is built");
  int64_t axis = axis_value->front();
  if (axis != 0 && rank < 0) return g.Fail("the rank of params must be known where the axis is not 0");
  if (axis < 0) axis += rank;
  if (batch_dims < 0 || batch_dims > axis || (rank >= 0 && axis >= rank)) {
    return g.Fail("batch_dims and axis must be dimensions of params, in this order");
  }
  g.set(0, array::GatherGradient(g, g.grad(), Extents::ShapeOf(g, params), indices, static_cast<int>(axis),
                                 static_cast<int>(batch_dims)));
}

void GatherNdGradient(GradientContext& g) {
  const Output params = g.input(), indices = g.input(1);
  const Extents shape = Extents::ShapeOf(g, params);
  const SymShape& places = indices.shape();
  if (places.rank() == 2 && places.dims[1] == Dim(1)) {
    return g.set(0, array::RowsGradient(g, g.grad(), indices, shape));
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
