// ScatterNd, ScatterNdNonAliasingAdd, TensorScatterUpdate and its relatives:
// scattering into a tensor.
#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/array/scatter_slices.h"
#include "millrace/ops/array/strided_copy.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::ScatterWay;
using array::SpanOf;

// updates is indices[:-1] + target[indices.shape[-1]:].
Status CheckUpdates(InferenceContext& ctx, const SymShape& target, const SymShape& indices, const SymShape& updates) {
  if (indices.rank() == 0) return InvalidArgument("indices must have at least one dimension");
  if (!target.has_rank || !indices.has_rank || !indices.dims.back().known() || !updates.has_rank) return OkStatus();
  const int64_t depth = indices.dims.back().value();
  if (depth > target.rank()) {
    return InvalidArgument(
        Cat("indices have ", depth, " entries each, the target only ", target.rank(), " dimensions"));
  }
  SymShape expected(std::vector<Dim>(indices.dims.begin(), indices.dims.end() - 1));
  expected.dims.insert(expected.dims.end(), target.dims.begin() + depth, target.dims.end());
  return ctx.Merge(expected, updates, &expected);
}

Status ScatterNdShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(2, 1));
  SymShape out;
  MR_RETURN_IF_ERROR(ctx.InputAsShape(2, &out));
  MR_RETURN_IF_ERROR(CheckUpdates(ctx, out, ctx.input(0), ctx.input(1)));
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status TensorScatterShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(CheckUpdates(ctx, ctx.input(0), ctx.input(1), ctx.input(2)));
  ctx.set_output(0, ctx.input(0));
  return OkStatus();
}

Status ScatterInto(KernelContext& ctx, ScatterWay way, const TensorView& target, const TensorView& indices,
                   const TensorView& updates) {
  const int64_t depth = indices.rank > 0 ? indices.dim(indices.rank - 1) : 0;
  bool fits = indices.rank > 0 && depth <= target.rank && updates.rank == indices.rank - 1 + target.rank - depth;
  for (int k = 0; fits && k < updates.rank; ++k) {
    const int64_t expected =
        k < indices.rank - 1 ? indices.dim(k) : target.dim(k - (indices.rank - 1) + static_cast<int>(depth));
    fits = updates.dim(k) == expected;
  }
  if (!fits) {
    return InvalidArgument(Cat("indices of shape ", array::DimsText(indices.shape()), " and updates of shape ",
                               array::DimsText(updates.shape()), " do not fit a target of shape ",
                               array::DimsText(target.shape())));
  }
  int64_t count = 1;
  for (int k = 0; k + 1 < indices.rank; ++k) count *= indices.dim(k);
  Checkpoint checkpoint(ctx);
  return array::ScatterSlices(way, target, indices, count, static_cast<int>(depth), updates, &checkpoint);
}

Status RunScatterNd(KernelContext& ctx) {
  const TensorView& operand = ctx.input(2);
  if (operand.num_elements > Shape::kMaxRank) {
    return InvalidArgument(Cat("a shape has at most ", Shape::kMaxRank, " dimensions, found ", operand.num_elements));
  }
  const Ints dims = array::ReadInts(operand);
  if (!ElementCount(SpanOf(dims))) {
    return InvalidArgument(Cat("no tensor has shape ", array::DimsText(SpanOf(dims))));
  }
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
  const TensorView& out = ctx.output(0);
  array::ZeroElements(ctx, out.dtype, out.data, out.num_elements);
  // Equal indices add up, where there is an addition.
  const bool number = !IsObject(out.dtype) && out.dtype != DType::kBool && !IsQuantized(out.dtype);
  return ScatterInto(ctx, number ? ScatterWay::kAdd : ScatterWay::kUpdate, out, ctx.input(0), ctx.input(1));
}

template <ScatterWay kWay>
Status RunTensorScatter(KernelContext& ctx) {
  const TensorView& tensor = ctx.input(0);
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, tensor.shape()));
  const TensorView& out = ctx.output(0);
  array::CopyElements(ctx, out.dtype, tensor.data, out.data, out.num_elements);
  return ScatterInto(ctx, kWay, out, ctx.input(1), ctx.input(2));
}

}  // namespace

namespace families {
void array_scatter(Registry& registry) {
  registry.Define("ScatterNd")
      .Input("indices: Tindices")
      .Input("updates: T")
      .Input("shape: Tindices")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tindices: {int16, int32, int64}")
      .Attr("bad_indices_policy: string = ''")
      .Doc("Zeros of the given shape with the updates added where the indices say.")
      .Shape(ScatterNdShape)
      .Kernel("CPU", MakeKernel<RunScatterNd>);
  registry.Define("ScatterNdNonAliasingAdd")
      .Input("input: T")
      .Input("indices: Tindices")
      .Input("updates: T")
      .Output("output: T")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
          "quint16, uint16, complex128, half, uint32, uint64, bool}")
      .Attr("Tindices: {int32, int64}")
      .Attr("bad_indices_policy: string = ''")
      .Doc("The input with the updates added where the indices say.")
      .Shape(TensorScatterShape)
      .Kernel("CPU", MakeKernel<RunTensorScatter<ScatterWay::kAdd>>);
  registry.Define("TensorScatterUpdate")
      .Input("tensor: T")
      .Input("indices: Tindices")
      .Input("updates: T")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tindices: {int16, int32, int64, uint16}")
      .Attr("bad_indices_policy: string = ''")
      .Doc("The tensor with the updates in the places that the indices say.")
      .Shape(TensorScatterShape)
      .Kernel("CPU", MakeKernel<RunTensorScatter<ScatterWay::kUpdate>>);
  registry.Define("TensorScatterAdd")
      .Input("tensor: T")
      .Input("indices: Tindices")
      .Input("updates: T")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tindices: {int32, int64}")
      .Attr("bad_indices_policy: string = ''")
      .Doc("The tensor with the updates added where the indices say.")
      .Shape(TensorScatterShape)
      .Kernel("CPU", MakeKernel<RunTensorScatter<ScatterWay::kAdd>>);
  registry.Define("TensorScatterSub")
      .Input("tensor: T")
      .Input("indices: Tindices")
      .Input("updates: T")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tindices: {int32, int64}")
      .Attr("bad_indices_policy: string = ''")
      .Doc("The tensor with the updates subtracted where the indices say.")
      .Shape(TensorScatterShape)
      .Kernel("CPU", MakeKernel<RunTensorScatter<ScatterWay::kSub>>);
  registry.Define("TensorScatterMax")
      .Input("tensor: T")
      .Input("indices: Tindices")
      .Input("updates: T")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tindices: {int32, int64}")
      .Attr("bad_indices_policy: string = ''")
      .Doc("The tensor with the larger of itself and the updates where the indices say.")
      .Shape(TensorScatterShape)
      .Kernel("CPU", MakeKernel<RunTensorScatter<ScatterWay::kMax>>);
  registry.Define("TensorScatterMin")
      .Input("tensor: T")
      .Input("indices: Tindices")
      .Input("updates: T")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tindices: {int32, int64}")
      .Attr("bad_indices_policy: string = ''")
      .Doc("The tensor with the smaller of itself and the updates where the indices say.")
      .Shape(TensorScatterShape)
      .Kernel("CPU", MakeKernel<RunTensorScatter<ScatterWay::kMin>>);
}
}  // namespace families
}  // namespace millrace
