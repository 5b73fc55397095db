// Slice: a box cut out of a tensor.
#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/array/strided_copy.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

Status SliceShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  MR_RETURN_IF_ERROR(ctx.WithRank(2, 1));
  SymShape operand;
  MR_RETURN_IF_ERROR(ctx.Merge(ctx.input(1), ctx.input(2), &operand));
  const SymShape& input = ctx.input(0);
  std::vector<SymElement> begin, size;
  const bool begins = array::IntElements(ctx, 1, &begin), sizes = array::IntElements(ctx, 2, &size);
  if (input.has_rank) {
    Dim rank;
    MR_RETURN_IF_ERROR(ctx.Merge(operand.has_rank ? operand.dims[0] : Dim(), Dim(input.rank()), &rank));
    begin.resize(input.dims.size());
    size.resize(input.dims.size());
  } else {
    if (!begins && !sizes) return OkStatus();
    begin.resize(std::max(begin.size(), size.size()));
    size.resize(begin.size());
  }
  SymShape out = SymShape::Unknown(static_cast<int>(size.size()));
  for (size_t k = 0; k < size.size(); ++k) {
    const Dim whole = input.has_rank ? input.dims[k] : Dim();
    if (begin[k].known() && begin[k].number < 0) {
      return InvalidArgument(Cat("begin[", k, "] must not be negative, found ", begin[k].number));
    }
    if (size[k].known() && size[k].number < -1) {
      return InvalidArgument(Cat("size[", k, "] must be at least -1, found ", size[k].number));
    }
    if (size[k].known() && size[k].number == -1) out.dims[k] = ctx.dims().Sub(whole, begin[k].dim());
    else out.dims[k] = size[k].dim();
    if (whole.known() && begin[k].known()) {
      const int64_t room = whole.value() - begin[k].number;
      if (room < 0 || (size[k].known() && size[k].number > room)) {
        return InvalidArgument(Cat("dimension ", k, " has ", whole.value(), " entries, the slice begins at ",
                                   begin[k].number, " and takes ", size[k].known() ? size[k].number : 0));
      }
    }
  }
  if (out.rank() == 1 && begin[0].known() && out.dims[0].known() && array::IsIndexType(ctx.input_info(0).dtype)) {
    std::vector<SymElement> elements;
    const int64_t first = begin[0].number, count = out.dims[0].value();
    if (array::IntElements(ctx, 0, &elements) && first + count <= static_cast<int64_t>(elements.size())) {
      ctx.set_elements(0, SymTensor{false, {elements.begin() + first, elements.begin() + first + count}});
    }
  }
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status RunSlice(KernelContext& ctx) {
  const TensorView& input = ctx.input(0);
  const Ints begin = array::ReadInts(ctx.input(1));
  Ints size = array::ReadInts(ctx.input(2));
  if (begin.size() != static_cast<size_t>(input.rank) || size.size() != begin.size()) {
    return InvalidArgument(
        Cat("begin and size should have ", input.rank, " elements, found ", begin.size(), " and ", size.size()));
  }
  const Ints strides = array::StridesOf(input.shape());
  int64_t first = 0;
  for (int k = 0; k < input.rank; ++k) {
    const size_t i = static_cast<size_t>(k);
    const int64_t whole = input.dim(k);
    if (begin[i] < 0 || begin[i] > whole || size[i] < -1 || size[i] > whole - begin[i]) {
      return InvalidArgument(
          Cat("dimension ", k, " has ", whole, " entries, the slice begins at ", begin[i], " and takes ", size[i]));
    }
    if (size[i] == -1) size[i] = whole - begin[i];
    first += begin[i] * strides[i];
  }
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(size)));
  const TensorView& out = ctx.output(0);
  const Ints out_strides = array::StridesOf(out.shape());
  array::StridedCopy(ctx, out.dtype, out.shape(), array::ElementAt(input.data, out.dtype, first), SpanOf(strides),
                     out.data, SpanOf(out_strides));
  return OkStatus();
}

}  // namespace

namespace families {
void array_slice(Registry& registry) {
  registry.Define("Slice")
      .Input("input: T")
      .Input("begin: Index")
      .Input("size: Index")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Index: {int32, int64}")
      .Doc("The box of the given size that starts at `begin`; a size of -1 means to the end.")
      .Shape(SliceShape)
      .Kernel("CPU", MakeKernel<RunSlice>);
}
}  // namespace families
}  // namespace millrace
