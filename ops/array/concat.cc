// Concat, ConcatV2, ConcatOffset: tensors end to end.
#include <array>

#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/array/strided_copy.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

// Inputs [first, first + count) are the parts, input `axis_input` the axis.
Status ConcatShapeOf(InferenceContext& ctx, int axis_input, int first, int count) {
  MR_RETURN_IF_ERROR(ctx.WithRank(axis_input, 0));
  int rank = -1;
  for (int i = first; i < first + count; ++i) {
    const int r = ctx.input(i).rank();
    if (r < 0) continue;
    if (rank >= 0 && r != rank) {
      return InvalidArgument(Cat("inputs must have one rank, expected ", rank, ", found ", r, " at input ", i));
    }
    rank = r;
  }
  if (rank < 0) return OkStatus();
  if (rank == 0) return InvalidArgument("cannot concatenate scalars (use Pack)");
  const std::optional<int64_t> wanted = array::IntScalar(ctx, axis_input);
  if (!wanted) {
    ctx.set_output(0, SymShape::Unknown(rank));
    return OkStatus();
  }
  int axis = 0;
  MR_RETURN_IF_ERROR(array::NormalizeAxis(*wanted, rank, "axis", &axis));
  const size_t a = static_cast<size_t>(axis);
  SymShape whole = SymShape::Unknown(rank);
  Dim sum(0);
  for (int i = first; i < first + count; ++i) {
    SymShape part = ctx.input(i);
    if (!part.has_rank) part = SymShape::Unknown(rank);
    sum = ctx.dims().Add(sum, part.dims[a]);
    part.dims[a] = Dim();
    MR_RETURN_IF_ERROR(ctx.Merge(whole, part, &whole));
  }
  whole.dims[a] = sum;
  if (rank == 1 && array::IsIndexType(ctx.input_info(first).dtype)) {
    SymTensor all;
    bool known = true;
    std::vector<SymElement> part;
    for (int i = first; known && i < first + count; ++i) {
      known = array::IntElements(ctx, i, &part);
      all.elements.insert(all.elements.end(), part.begin(), part.end());
    }
    if (known) ctx.set_elements(0, std::move(all));
  }
  ctx.set_output(0, std::move(whole));
  return OkStatus();
}
Status ConcatShape(InferenceContext& ctx) { return ConcatShapeOf(ctx, 0, 1, ctx.num_inputs() - 1); }
Status ConcatV2Shape(InferenceContext& ctx) {
  return ConcatShapeOf(ctx, ctx.num_inputs() - 1, 0, ctx.num_inputs() - 1);
}

Status RunConcatOf(KernelContext& ctx, int axis_input, int first, int count) {
  const TensorView& head = ctx.input(first);
  int axis = 0;
  MR_RETURN_IF_ERROR(array::NormalizeAxis(array::IntAt(ctx.input(axis_input), 0), head.rank, "axis", &axis));
  Ints whole = array::IntsOf(head.shape());
  int64_t sum = 0;
  for (int i = first; i < first + count; ++i) {
    const TensorView& part = ctx.input(i);
    bool same = part.rank == head.rank;
    for (int k = 0; same && k < head.rank; ++k) same = k == axis || part.dim(k) == head.dim(k);
    if (!same) {
      return InvalidArgument(Cat("input ", i, " with shape ", array::DimsText(part.shape()), " does not fit ",
                                 array::DimsText(head.shape()), " along axis ", axis));
    }
    sum += part.dim(axis);
  }
  whole[static_cast<size_t>(axis)] = sum;
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(whole)));
  const TensorView& out = ctx.output(0);
  int64_t outer = 1, inner = 1;
  for (int k = 0; k < axis; ++k) outer *= head.dim(k);
  for (int k = axis + 1; k < head.rank; ++k) inner *= head.dim(k);
  int64_t at = 0;
  for (int i = first; i < first + count; ++i) {
    const TensorView& part = ctx.input(i);
    const int64_t run = part.dim(axis) * inner;
    array::StridedCopy(ctx, out.dtype, std::array{outer, run}, part.data, std::array{run, int64_t{1}},
                       array::ElementAt(out.data, out.dtype, at), std::array{sum * inner, int64_t{1}});
    at += run;
  }
  return OkStatus();
}
Status RunConcat(KernelContext& ctx) { return RunConcatOf(ctx, 0, 1, ctx.num_inputs() - 1); }
Status RunConcatV2(KernelContext& ctx) { return RunConcatOf(ctx, ctx.num_inputs() - 1, 0, ctx.num_inputs() - 1); }

Status ConcatOffsetShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 0));
  const int count = ctx.num_inputs() - 1;
  SymShape each;
  for (int i = 1; i <= count; ++i) {
    MR_RETURN_IF_ERROR(ctx.WithRank(i, 1));
    MR_RETURN_IF_ERROR(ctx.Merge(each, ctx.input(i), &each));
  }
  for (int i = 0; i < count; ++i) ctx.set_output(i, each);
  const std::optional<int64_t> wanted = array::IntScalar(ctx, 0);
  if (!wanted || each.rank() != 1 || !each.dims[0].known() || each.dims[0].value() == 0) return OkStatus();
  const int64_t rank = each.dims[0].value();
  int axis = 0;
  MR_RETURN_IF_ERROR(array::NormalizeAxis(*wanted, rank, "concat_dim", &axis));
  Dim at(0);
  std::vector<SymElement> part;
  for (int i = 0; i < count; ++i) {
    SymTensor offset;
    offset.elements.assign(static_cast<size_t>(rank), SymElement::Number(0));
    offset.elements[static_cast<size_t>(axis)] = SymElement::Of(at);
    ctx.set_elements(i, std::move(offset));
    const bool known = array::IntElements(ctx, i + 1, &part) && part.size() == static_cast<size_t>(rank);
    at = ctx.dims().Add(at, known ? part[static_cast<size_t>(axis)].dim() : Dim());
  }
  return OkStatus();
}

Status RunConcatOffset(KernelContext& ctx) {
  const int count = ctx.num_inputs() - 1;
  const TensorView& first = ctx.input(1);
  int axis = 0;
  MR_RETURN_IF_ERROR(array::NormalizeAxis(array::IntAt(ctx.input(0), 0), first.num_elements, "concat_dim", &axis));
  int64_t at = 0;
  for (int i = 0; i < count; ++i) {
    const TensorView& shape = ctx.input(i + 1);
    if (shape.num_elements != first.num_elements) {
      return InvalidArgument(
          Cat("input ", i + 1, " should have ", first.num_elements, " elements, found ", shape.num_elements));
    }
    for (int64_t k = 0; k < shape.num_elements; ++k) {
      if (k != axis && array::IntAt(shape, k) != array::IntAt(first, k)) {
        return InvalidArgument(Cat("dimension ", k, " of input ", i + 1, " should be ", array::IntAt(first, k),
                                   ", found ", array::IntAt(shape, k)));
      }
    }
    if (ctx.output_wanted(i)) {
      MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, i, first.shape()));
      const TensorView& out = ctx.output(i);
      for (int64_t k = 0; k < shape.num_elements; ++k) {
        const int64_t v = k == axis ? at : 0;
        if (out.dtype == DType::kInt32) out.as<int32_t>()[k] = static_cast<int32_t>(v);
        else out.as<int64_t>()[k] = v;
      }
    }
    at += array::IntAt(shape, axis);
  }
  return OkStatus();
}

}  // namespace

namespace families {
void array_concat(Registry& registry) {
  registry.Define("Concat")
      .Input("concat_dim: int32")
      .Input("values: N * T")
      .Output("output: T")
      .Attr("N: int >= 2")
      .Attr("T: type")
      .Doc("Tensors end to end along an axis; the old form with the axis first.")
      .Shape(ConcatShape)
      .Kernel("CPU", MakeKernel<RunConcat>);
  registry.Define("ConcatV2")
      .Input("values: N * T")
      .Input("axis: Tidx")
      .Output("output: T")
      .Attr("N: int >= 2")
      .Attr("T: type")
      .Attr("Tidx: {int32, int64} = DT_INT32")
      .Doc("Tensors end to end along an axis.")
      .Shape(ConcatV2Shape)
      .Kernel("CPU", MakeKernel<RunConcatV2>);
  registry.Define("ConcatOffset")
      .Input("concat_dim: int32")
      .Input("shape: N * shape_type")
      .Output("offset: N * shape_type")
      .Attr("N: int >= 2")
      .Attr("shape_type: {int32, int64} = DT_INT32")
      .Doc("Where each of the shapes starts in their concatenation.")
      .Shape(ConcatOffsetShape)
      .NoGradient("its inputs are shapes")
      .Kernel("CPU", MakeKernel<RunConcatOffset>);
}
}  // namespace families
}  // namespace millrace
