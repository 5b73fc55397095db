// Gather, GatherV2, GatherNd: rows by index.
#include <atomic>

#include "millrace/ops/array/gather_rows.h"
#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

Status GatherShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(0, 1));
  const SymShape &params = ctx.input(0), &indices = ctx.input(1);
  if (!params.has_rank || !indices.has_rank) return OkStatus();
  SymShape out = indices;
  out.dims.insert(out.dims.end(), params.dims.begin() + 1, params.dims.end());
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status GatherV2Shape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(2, 0));
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(0, 1));
  const SymShape &params = ctx.input(0), &indices = ctx.input(1);
  if (!params.has_rank || !indices.has_rank) return OkStatus();
  int64_t batch = ctx.attr<int64_t>("batch_dims");
  if (batch < 0) batch += indices.rank();
  if (batch < 0 || batch > indices.rank() || batch >= params.rank()) {
    return InvalidArgument(Cat("batch_dims ", ctx.attr<int64_t>("batch_dims"), " does not fit params of rank ",
                               params.rank(), " and indices of rank ", indices.rank()));
  }
  const std::optional<int64_t> wanted = array::IntScalar(ctx, 2);
  if (!wanted) {
    ctx.set_output(0, SymShape::Unknown(params.rank() - 1 + indices.rank() - static_cast<int>(batch)));
    return OkStatus();
  }
  int axis = 0;
  MR_RETURN_IF_ERROR(array::NormalizeAxis(*wanted, params.rank(), "axis", &axis));
  if (axis < batch) return InvalidArgument(Cat("axis ", axis, " must not be less than batch_dims ", batch));
  SymShape out = SymShape::Scalar();
  for (int k = 0; k < batch; ++k) {
    Dim d;
    MR_RETURN_IF_ERROR(ctx.Merge(params.dims[static_cast<size_t>(k)], indices.dims[static_cast<size_t>(k)], &d));
    out.dims.push_back(d);
  }
  out.dims.insert(out.dims.end(), params.dims.begin() + batch, params.dims.begin() + axis);
  out.dims.insert(out.dims.end(), indices.dims.begin() + batch, indices.dims.end());
  out.dims.insert(out.dims.end(), params.dims.begin() + axis + 1, params.dims.end());
  // Some of a vector of extents.
  std::vector<SymElement> elements;
  if (params.rank() == 1 && indices.rank() <= 1 && array::IsIndexType(ctx.input_info(0).dtype) &&
      array::IntElements(ctx, 0, &elements)) {
    if (const auto at = array::IntConstant(ctx, 1); at && at->size() <= static_cast<size_t>(Shape::kMaxRank)) {
      SymTensor taken;
      taken.scalar = indices.rank() == 0;
      for (const int64_t i : *at) {
        if (i < 0 || i >= static_cast<int64_t>(elements.size())) return OkStatus();  // the kernel says what is wrong
        taken.elements.push_back(elements[static_cast<size_t>(i)]);
      }
      ctx.set_elements(0, std::move(taken));
    }
  }
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status RunGatherAlong(KernelContext& ctx, int axis, int batch) {
  const TensorView &params = ctx.input(0), &indices = ctx.input(1);
  array::GatherShape shape;
  Ints dims;
  for (int k = 0; k < batch; ++k) {
    if (params.dim(k) != indices.dim(k)) {
      return InvalidArgument(
          Cat("batch dimension ", k, " is ", params.dim(k), " in params, ", indices.dim(k), " in indices"));
    }
    shape.batches *= params.dim(k);
  }
  for (int k = 0; k < axis; ++k) {
    dims.push_back(params.dim(k));
    if (k >= batch) shape.outer *= params.dim(k);
  }
  shape.rows = params.dim(axis);
  for (int k = batch; k < indices.rank; ++k) {
    dims.push_back(indices.dim(k));
    shape.indices *= indices.dim(k);
  }
  for (int k = axis + 1; k < params.rank; ++k) {
    dims.push_back(params.dim(k));
    shape.inner *= params.dim(k);
  }
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
  return array::GatherRows(ctx, shape, params, indices, ctx.output(0).data);
}

Status RunGather(KernelContext& ctx) {
  if (ctx.input(0).rank < 1) return InvalidArgument("params must have at least one dimension");
  return RunGatherAlong(ctx, 0, 0);
}

class GatherV2 final : public Kernel {
 public:
  explicit GatherV2(const KernelInit& init) : batch_dims_(init.attr<int64_t>("batch_dims")) {}
  Status Run(KernelContext& ctx) const override {
    const TensorView &params = ctx.input(0), &indices = ctx.input(1);
    int axis = 0;
    MR_RETURN_IF_ERROR(array::NormalizeAxis(array::IntAt(ctx.input(2), 0), params.rank, "axis", &axis));
    const int64_t batch = batch_dims_ < 0 ? batch_dims_ + indices.rank : batch_dims_;
    if (batch < 0 || batch > indices.rank || batch > axis) {
      return InvalidArgument(
          Cat("batch_dims ", batch_dims_, " does not fit indices of rank ", indices.rank, " and axis ", axis));
    }
    return RunGatherAlong(ctx, axis, static_cast<int>(batch));
  }

 private:
  const int64_t batch_dims_;
};

Status GatherNdShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(1, 1));
  const SymShape &params = ctx.input(0), &indices = ctx.input(1);
  if (!params.has_rank || !indices.has_rank || !indices.dims.back().known()) return OkStatus();
  const int64_t depth = indices.dims.back().value();
  if (depth > params.rank()) {
    return InvalidArgument(Cat("indices have ", depth, " entries each, params only ", params.rank(), " dimensions"));
  }
  SymShape out(std::vector<Dim>(indices.dims.begin(), indices.dims.end() - 1));
  out.dims.insert(out.dims.end(), params.dims.begin() + depth, params.dims.end());
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status RunGatherNd(KernelContext& ctx) {
  const TensorView &params = ctx.input(0), &indices = ctx.input(1);
  Ints dims = array::IntsOf(indices.shape());
  if (dims.empty() || dims.back() > params.rank) {
    return InvalidArgument(Cat("indices of shape ", array::DimsText(indices.shape()), " do not index params of shape ",
                               array::DimsText(params.shape())));
  }
  const int depth = static_cast<int>(dims.back());
  dims.pop_back();
  const int64_t count = array::Product(SpanOf(dims));
  int64_t inner = 1;
  for (int k = depth; k < params.rank; ++k) {
    dims.push_back(params.dim(k));
    inner *= params.dim(k);
  }
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
  const TensorView& out = ctx.output(0);
  const Ints strides = array::StridesOf(params.shape());
  std::atomic<int64_t> bad{-1};
  ctx.ParallelFor(count, BlockFor(8.0 * depth + static_cast<double>(inner)), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t at = 0;
      for (int k = 0; k < depth; ++k) {
        const int64_t index = array::IntAt(indices, i * depth + k);
        if (index < 0 || index >= params.dim(k)) {
          bad.store(i, std::memory_order_relaxed);
          return;
        }
        at += index * strides[static_cast<size_t>(k)];
      }
      array::CopySerial(out.dtype, array::ElementAt(params.data, out.dtype, at),
                        array::ElementAt(out.data, out.dtype, i * inner), inner);
    }
  });
  if (const int64_t i = bad.load(); i >= 0) {
    Ints index;
    for (int k = 0; k < depth; ++k) index.push_back(array::IntAt(indices, i * depth + k));
    return InvalidArgument(Cat("indices[", i, "] = ", array::DimsText(SpanOf(index)), " does not index shape ",
                               array::DimsText(params.shape())));
  }
  return OkStatus();
}

}  // namespace

namespace families {
void array_gather(Registry& registry) {
  registry.Define("Gather")
      .Input("params: Tparams")
      .Input("indices: Tindices")
      .Output("output: Tparams")
      .Attr("validate_indices: bool = true")
      .Attr("Tparams: type")
      .Attr("Tindices: {int32, int64}")
      .Doc("Rows of params by index.")
      .Shape(GatherShape)
      .Kernel("CPU", MakeKernel<RunGather>);
  registry.Define("GatherV2")
      .Input("params: Tparams")
      .Input("indices: Tindices")
      .Input("axis: Taxis")
      .Output("output: Tparams")
      .Attr("batch_dims: int = 0")
      .Attr("Tparams: type")
      .Attr("Tindices: {int16, int32, int64}")
      .Attr("Taxis: {int32, int64}")
      .Doc("Slices of params along an axis, by index; the first batch_dims dimensions go together.")
      .Shape(GatherV2Shape)
      .Kernel("CPU", NewKernel<GatherV2>);
  registry.Define("GatherNd")
      .Input("params: Tparams")
      .Input("indices: Tindices")
      .Output("output: Tparams")
      .Attr("Tparams: type")
      .Attr("Tindices: {int16, int32, int64}")
      .Attr("bad_indices_policy: string = ''")
      .Doc("Slices of params by indices into their first dimensions.")
      .Shape(GatherNdShape)
      .Kernel("CPU", MakeKernel<RunGatherNd>);
}
}  // namespace families
}  // namespace millrace
