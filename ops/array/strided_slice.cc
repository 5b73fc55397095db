// StridedSlice and its gradient: x[1:-1:2, ..., None, 3].
#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/array/strided_copy.h"
#include "millrace/ops/array/strided_slice_spec.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;
using array::StridedSliceMasks;
using array::StridedSliceSpec;

// begin, end and strides from inputs first, first + 1 and first + 2; false where
// not even their number is known.
Status ReadEntries(InferenceContext& ctx, int first, std::vector<SymElement> (&entries)[3], bool* known) {
  SymShape operand;
  for (int i = 0; i < 3; ++i) {
    MR_RETURN_IF_ERROR(ctx.WithRank(first + i, 1));
    MR_RETURN_IF_ERROR(ctx.Merge(operand, ctx.input(first + i), &operand));
  }
  size_t count = 0;
  *known = false;
  for (int i = 0; i < 3; ++i) {
    if (array::IntElements(ctx, first + i, &entries[i])) {
      *known = true;
      count = std::max(count, entries[i].size());
    }
  }
  for (std::vector<SymElement>& e : entries) e.resize(count);
  return OkStatus();
}

Status StridedSliceShape(InferenceContext& ctx) {
  std::vector<SymElement> entries[3];
  bool known = false;
  MR_RETURN_IF_ERROR(ReadEntries(ctx, 1, entries, &known));
  if (!known) return OkStatus();
  SymShape result;
  std::optional<array::TakenElements> taken;
  MR_RETURN_IF_ERROR(array::InferStridedSlice(ctx.dims(), StridedSliceMasks(ctx.attrs()), ctx.input(0), entries[0],
                                              entries[1], entries[2], &result, &taken));
  if (taken && array::IsIndexType(ctx.input_info(0).dtype)) {
    std::vector<SymElement> from;
    if (array::IntElements(ctx, 0, &from)) {
      SymTensor elements;
      elements.scalar = taken->scalar;
      for (int64_t i = 0; i < taken->count; ++i) {
        const int64_t at = taken->begin + i * taken->stride;
        elements.elements.push_back(at >= 0 && at < static_cast<int64_t>(from.size()) ? from[static_cast<size_t>(at)]
                                                                                      : SymElement{});
      }
      ctx.set_elements(0, std::move(elements));
    }
  }
  ctx.set_output(0, std::move(result));
  return OkStatus();
}

// Where the slice lies in its input.
struct Placement {
  Ints dims, strides;
  int64_t first = 0;
  Placement(const StridedSliceSpec& spec, std::span<const int64_t> input_dims) {
    const Ints whole = array::StridesOf(input_dims);
    for (size_t k = 0; k < spec.dims.size(); ++k) {
      dims.push_back(spec.dims[k].count);
      strides.push_back(whole[k] * spec.dims[k].stride);
      first += spec.dims[k].begin * whole[k];
    }
  }
  bool empty() const { return std::find(dims.begin(), dims.end(), 0) != dims.end(); }
};

class StridedSlice final : public Kernel {
 public:
  explicit StridedSlice(const KernelInit& init) : masks_(init.attrs()) {}
  Status Run(KernelContext& ctx) const override {
    const TensorView& input = ctx.input(0);
    StridedSliceSpec spec;
    MR_RETURN_IF_ERROR(array::MakeStridedSlice(masks_, SpanOf(array::ReadInts(ctx.input(1))),
                                               SpanOf(array::ReadInts(ctx.input(2))),
                                               SpanOf(array::ReadInts(ctx.input(3))), input.shape(), &spec));
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(spec.ResultDims())));
    const Placement at(spec, input.shape());
    if (at.empty()) return OkStatus();
    const TensorView& out = ctx.output(0);
    array::StridedCopy(ctx, out.dtype, SpanOf(at.dims), array::ElementAt(input.data, out.dtype, at.first),
                       SpanOf(at.strides), out.data, SpanOf(array::StridesOf(SpanOf(at.dims))));
    return OkStatus();
  }

 private:
  const StridedSliceMasks masks_;
};

Status StridedSliceGradShape(InferenceContext& ctx) {
  std::vector<SymElement> entries[3];
  bool known = false;
  MR_RETURN_IF_ERROR(ReadEntries(ctx, 1, entries, &known));
  SymShape shape;
  MR_RETURN_IF_ERROR(ctx.InputAsShape(0, &shape));
  ctx.set_output(0, std::move(shape));
  return OkStatus();
}

class StridedSliceGrad final : public Kernel {
 public:
  explicit StridedSliceGrad(const KernelInit& init) : masks_(init.attrs()) {}
  Status Run(KernelContext& ctx) const override {
    const TensorView& dy = ctx.input(4);
    const Ints dims = array::ReadInts(ctx.input(0));
    if (!ElementCount(SpanOf(dims))) {
      return InvalidArgument(Cat("no tensor has shape ", array::DimsText(SpanOf(dims))));
    }
    StridedSliceSpec spec;
    MR_RETURN_IF_ERROR(array::MakeStridedSlice(masks_, SpanOf(array::ReadInts(ctx.input(1))),
                                               SpanOf(array::ReadInts(ctx.input(2))),
                                               SpanOf(array::ReadInts(ctx.input(3))), SpanOf(dims), &spec));
    const Ints expected = spec.ResultDims();
    if (!std::ranges::equal(SpanOf(expected), dy.shape())) {
      return InvalidArgument(
          Cat("dy should have shape ", array::DimsText(SpanOf(expected)), ", found ", array::DimsText(dy.shape())));
    }
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
    const TensorView& out = ctx.output(0);
    array::ZeroElements(ctx, out.dtype, out.data, out.num_elements);
    const Placement at(spec, SpanOf(dims));
    if (at.empty()) return OkStatus();
    array::StridedCopy(ctx, out.dtype, SpanOf(at.dims), dy.data, SpanOf(array::StridesOf(SpanOf(at.dims))),
                       array::ElementAt(out.data, out.dtype, at.first), SpanOf(at.strides));
    return OkStatus();
  }

 private:
  const StridedSliceMasks masks_;
};

}  // namespace

namespace families {
void array_strided_slice(Registry& registry) {
  registry.Define("StridedSlice")
      .Input("input: T")
      .Input("begin: Index")
      .Input("end: Index")
      .Input("strides: Index")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Index: {int16, int32, int64}")
      .Attr("begin_mask: int = 0")
      .Attr("end_mask: int = 0")
      .Attr("ellipsis_mask: int = 0")
      .Attr("new_axis_mask: int = 0")
      .Attr("shrink_axis_mask: int = 0")
      .Doc("Python's indexing with ranges, strides, ellipsis, new axes and single numbers.")
      .Shape(StridedSliceShape)
      .Kernel("CPU", NewKernel<StridedSlice>);
  registry.Define("StridedSliceGrad")
      .Input("shape: Index")
      .Input("begin: Index")
      .Input("end: Index")
      .Input("strides: Index")
      .Input("dy: T")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Index: {int32, int64}")
      .Attr("begin_mask: int = 0")
      .Attr("end_mask: int = 0")
      .Attr("ellipsis_mask: int = 0")
      .Attr("new_axis_mask: int = 0")
      .Attr("shrink_axis_mask: int = 0")
      .Doc("Zeros of the given shape with dy where StridedSlice took from.")
      .Shape(StridedSliceGradShape)
      .Kernel("CPU", NewKernel<StridedSliceGrad>);
}
}  // namespace families
}  // namespace millrace
