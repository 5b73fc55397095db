// Fill, BroadcastTo, Tile: one value, or one tensor, over and over.
#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/array/strided_copy.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

// `dims` of input i as the shape of a tensor.
Status ReadShapeOperand(KernelContext& ctx, int i, Ints* dims) {
  const TensorView& operand = ctx.input(i);
  if (operand.num_elements > Shape::kMaxRank) {
    return InvalidArgument(Cat("a shape has at most ", Shape::kMaxRank, " dimensions, found ", operand.num_elements));
  }
  *dims = array::ReadInts(operand);
  if (!ElementCount(SpanOf(*dims))) {
    return InvalidArgument(Cat("no tensor has shape ", array::DimsText(SpanOf(*dims))));
  }
  return OkStatus();
}

Status FillShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 1));
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 0));
  if (const auto dims = array::IntConstant(ctx, 0)) {
    for (const int64_t d : *dims) {
      if (d < 0) return InvalidArgument(Cat("dims must not be negative, found ", array::DimsText(*dims)));
    }
  }
  SymShape out;
  MR_RETURN_IF_ERROR(ctx.InputAsShape(0, &out));
  std::vector<SymElement> value;
  if (out.rank() >= 0 && out.rank() <= 1 && array::IsIndexType(ctx.input_info(1).dtype) &&
      array::IntElements(ctx, 1, &value) && value.size() == 1) {
    const Dim n = out.rank() == 0 ? Dim(1) : out.dims[0];
    if (n.known() && n.value() <= Shape::kMaxRank) {
      SymTensor elements;
      elements.scalar = out.rank() == 0;
      elements.elements.assign(static_cast<size_t>(n.value()), value[0]);
      ctx.set_elements(0, std::move(elements));
    }
  }
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status RunFill(KernelContext& ctx) {
  Ints dims;
  MR_RETURN_IF_ERROR(ReadShapeOperand(ctx, 0, &dims));
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
  const TensorView& out = ctx.output(0);
  array::FillElements(ctx, out.dtype, ctx.input(1).data, out.data, out.num_elements);
  return OkStatus();
}

Status BroadcastToShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  SymShape out;
  MR_RETURN_IF_ERROR(ctx.InputAsShape(1, &out));
  const SymShape& input = ctx.input(0);
  if (out.has_rank && input.has_rank) {
    if (input.rank() > out.rank()) {
      return InvalidArgument(Cat("a tensor of rank ", input.rank(), " does not broadcast to rank ", out.rank()));
    }
    for (int k = 0; k < input.rank(); ++k) {
      const Dim from = input.dims[input.dims.size() - 1 - static_cast<size_t>(k)];
      const Dim to = out.dims[out.dims.size() - 1 - static_cast<size_t>(k)];
      if (from.known() && to.known() && from.value() != 1 && from.value() != to.value()) {
        return InvalidArgument(Cat("dimension of size ", from.value(), " does not broadcast to ", to.value()));
      }
    }
  }
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status RunBroadcastTo(KernelContext& ctx) {
  const TensorView& input = ctx.input(0);
  Ints dims;
  MR_RETURN_IF_ERROR(ReadShapeOperand(ctx, 1, &dims));
  const size_t rank = dims.size(), added = rank - static_cast<size_t>(input.rank);
  if (static_cast<size_t>(input.rank) > rank) {
    return InvalidArgument(Cat("a tensor of rank ", input.rank, " does not broadcast to rank ", rank));
  }
  const Ints strides = array::StridesOf(input.shape());
  Ints from(rank, 0);
  for (size_t k = added; k < rank; ++k) {
    const int64_t d = input.dims[k - added];
    if (d == dims[k]) from[k] = strides[k - added];
    else if (d != 1) {
      return InvalidArgument(
          Cat("shape ", array::DimsText(input.shape()), " does not broadcast to ", array::DimsText(SpanOf(dims))));
    }
  }
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
  const TensorView& out = ctx.output(0);
  array::StridedCopy(ctx, out.dtype, SpanOf(dims), input.data, SpanOf(from), out.data,
                     SpanOf(array::StridesOf(SpanOf(dims))));
  return OkStatus();
}

Status TileShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  SymShape out = ctx.input(0);
  const SymShape& operand = ctx.input(1);
  if (!out.has_rank && operand.rank() == 1 && operand.dims[0].known()) {
    if (operand.dims[0].value() > Shape::kMaxRank) return InvalidArgument("multiples has too many elements");
    out = SymShape::Unknown(static_cast<int>(operand.dims[0].value()));
  }
  if (!out.has_rank) return OkStatus();
  if (operand.has_rank) {
    Dim rank;
    MR_RETURN_IF_ERROR(ctx.Merge(operand.dims[0], Dim(out.rank()), &rank));
  }
  std::vector<SymElement> multiples;
  if (!array::IntElements(ctx, 1, &multiples) || multiples.size() != out.dims.size()) {
    multiples.assign(out.dims.size(), SymElement{});
  }
  for (size_t k = 0; k < out.dims.size(); ++k) {
    if (multiples[k].known() && multiples[k].number < 0) {
      return InvalidArgument(Cat("multiples[", k, "] must not be negative, found ", multiples[k].number));
    }
    out.dims[k] = ctx.dims().Mul(out.dims[k], multiples[k].dim());
  }
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status RunTile(KernelContext& ctx) {
  const TensorView& input = ctx.input(0);
  const Ints multiples = array::ReadInts(ctx.input(1));
  if (multiples.size() != static_cast<size_t>(input.rank)) {
    return InvalidArgument(Cat("multiples should have ", input.rank, " elements, found ", multiples.size()));
  }
  // Each dimension becomes two: the copies, then what is copied.
  const Ints strides = array::StridesOf(input.shape());
  Ints out_dims, dims, from;
  for (size_t k = 0; k < multiples.size(); ++k) {
    int64_t extent = 0;
    if (multiples[k] < 0 || __builtin_mul_overflow(multiples[k], input.dims[k], &extent)) {
      return InvalidArgument(Cat("multiples[", k, "] is out of range, found ", multiples[k]));
    }
    out_dims.push_back(extent);
    dims.push_back(multiples[k]);
    dims.push_back(input.dims[k]);
    from.push_back(0);
    from.push_back(strides[k]);
  }
  if (!ElementCount(SpanOf(out_dims))) {
    return InvalidArgument(Cat("no tensor has shape ", array::DimsText(SpanOf(out_dims))));
  }
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(out_dims)));
  const TensorView& out = ctx.output(0);
  array::StridedCopy(ctx, out.dtype, SpanOf(dims), input.data, SpanOf(from), out.data,
                     SpanOf(array::StridesOf(SpanOf(dims))));
  return OkStatus();
}

}  // namespace

namespace families {
void array_fill(Registry& registry) {
  registry.Define("Fill")
      .Input("dims: index_type")
      .Input("value: T")
      .Output("output: T")
      .Attr("T: type")
      .Attr("index_type: {int32, int64} = DT_INT32")
      .Doc("A tensor of the given shape with one value everywhere.")
      .Shape(FillShape)
      .Kernel("CPU", MakeKernel<RunFill>);
  registry.Define("BroadcastTo")
      .Input("input: T")
      .Input("shape: Tidx")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tidx: {int32, int64} = DT_INT32")
      .Doc("The input repeated to the given shape, by NumPy's rules.")
      .Shape(BroadcastToShape)
      .Kernel("CPU", MakeKernel<RunBroadcastTo>);
  registry.Define("Tile")
      .Input("input: T")
      .Input("multiples: Tmultiples")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tmultiples: {int32, int64} = DT_INT32")
      .Doc("The input repeated multiples[k] times along dimension k.")
      .Shape(TileShape)
      .Kernel("CPU", MakeKernel<RunTile>);
}
}  // namespace families
}  // namespace millrace
