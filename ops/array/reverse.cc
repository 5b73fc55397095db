// ReverseV2, Reverse, ReverseSequence, Roll: another order along dimensions.
#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/array/strided_copy.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

Status ReverseV2Shape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  const SymShape& x = ctx.input(0);
  if (const auto axes = array::IntConstant(ctx, 1); axes && x.has_rank) {
    absl::InlinedVector<bool, 8> seen(x.dims.size(), false);
    for (const int64_t a : *axes) {
      int axis = 0;
      MR_RETURN_IF_ERROR(array::NormalizeAxis(a, x.rank(), "axis", &axis));
      if (seen[static_cast<size_t>(axis)]) return InvalidArgument(Cat("axis ", axis, " is there twice"));
      seen[static_cast<size_t>(axis)] = true;
    }
  }
  ctx.set_output(0, x);
  return OkStatus();
}

Status ReverseShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  const SymShape &x = ctx.input(0), &dims = ctx.input(1);
  if (x.has_rank && dims.has_rank) {
    Dim rank;
    MR_RETURN_IF_ERROR(ctx.Merge(dims.dims[0], Dim(x.rank()), &rank));
  }
  ctx.set_output(0, x);
  return OkStatus();
}

Status ReverseAlong(KernelContext& ctx, const absl::InlinedVector<bool, 8>& reversed) {
  const TensorView& x = ctx.input(0);
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, x.shape()));
  if (x.num_elements == 0) return OkStatus();
  const Ints to = array::StridesOf(x.shape());
  Ints from = to;
  int64_t first = 0;
  for (size_t k = 0; k < from.size(); ++k) {
    if (!reversed[k]) continue;
    first += (x.dims[k] - 1) * from[k];
    from[k] = -from[k];
  }
  array::StridedCopy(ctx, x.dtype, x.shape(), array::ElementAt(x.data, x.dtype, first), SpanOf(from),
                     ctx.output(0).data, SpanOf(to));
  return OkStatus();
}

Status RunReverseV2(KernelContext& ctx) {
  const TensorView& x = ctx.input(0);
  absl::InlinedVector<bool, 8> reversed(static_cast<size_t>(x.rank), false);
  for (const int64_t a : array::ReadInts(ctx.input(1))) {
    int axis = 0;
    MR_RETURN_IF_ERROR(array::NormalizeAxis(a, x.rank, "axis", &axis));
    if (reversed[static_cast<size_t>(axis)]) return InvalidArgument(Cat("axis ", axis, " is there twice"));
    reversed[static_cast<size_t>(axis)] = true;
  }
  return ReverseAlong(ctx, reversed);
}

Status RunReverse(KernelContext& ctx) {
  const TensorView& x = ctx.input(0);
  if (ctx.input(1).num_elements != x.rank) {
    return InvalidArgument(Cat("dims should have ", x.rank, " elements, found ", ctx.input(1).num_elements));
  }
  const std::span<const bool> dims = ctx.input(1).elements<const bool>();
  return ReverseAlong(ctx, {dims.begin(), dims.end()});
}

Status SequenceShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  const SymShape &x = ctx.input(0), &lengths = ctx.input(1);
  const int64_t seq = ctx.attr<int64_t>("seq_dim"), batch = ctx.attr<int64_t>("batch_dim");
  if (x.has_rank) {
    if (seq < 0 || seq >= x.rank() || batch < 0 || batch >= x.rank() || seq == batch) {
      return InvalidArgument(
          Cat("seq_dim and batch_dim should be two dimensions below ", x.rank(), ", found ", seq, " and ", batch));
    }
    if (lengths.has_rank) {
      Dim count;
      MR_RETURN_IF_ERROR(ctx.Merge(x.dims[static_cast<size_t>(batch)], lengths.dims[0], &count));
    }
  }
  ctx.set_output(0, x);
  return OkStatus();
}

class ReverseSequence final : public Kernel {
 public:
  explicit ReverseSequence(const KernelInit& init)
      : seq_(init.attr<int64_t>("seq_dim")), batch_(init.attr<int64_t>("batch_dim")) {}
  Status Run(KernelContext& ctx) const override {
    const TensorView &x = ctx.input(0), &lengths = ctx.input(1);
    if (seq_ < 0 || seq_ >= x.rank || batch_ < 0 || batch_ >= x.rank || seq_ == batch_ ||
        lengths.num_elements != x.dims[batch_]) {
      return InvalidArgument(Cat("seq_dim ", seq_, " and batch_dim ", batch_, " with ", lengths.num_elements,
                                 " lengths do not fit shape ", array::DimsText(x.shape())));
    }
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, x.shape()));
    const Ints strides = array::StridesOf(x.shape());
    const size_t seq = static_cast<size_t>(seq_), batch = static_cast<size_t>(batch_);
    const int64_t extent = x.dims[seq];
    void* const out = ctx.output(0).data;
    Ints dims = array::IntsOf(x.shape());
    dims[batch] = 1;
    for (int64_t b = 0; b < x.dims[batch]; ++b) {
      const int64_t length = array::IntAt(lengths, b);
      if (length < 0 || length > extent) {
        return InvalidArgument(Cat("seq_lengths[", b, "] must be in [0, ", extent, "], found ", length));
      }
      const int64_t base = b * strides[batch];
      Ints from = strides;
      from[seq] = -strides[seq];
      dims[seq] = length;
      array::StridedCopy(ctx, x.dtype, SpanOf(dims),
                         array::ElementAt(x.data, x.dtype, base + (length - 1) * strides[seq]), SpanOf(from),
                         array::ElementAt(out, x.dtype, base), SpanOf(strides));
      dims[seq] = extent - length;
      array::StridedCopy(ctx, x.dtype, SpanOf(dims), array::ElementAt(x.data, x.dtype, base + length * strides[seq]),
                         SpanOf(strides), array::ElementAt(out, x.dtype, base + length * strides[seq]),
                         SpanOf(strides));
    }
    return OkStatus();
  }

 private:
  const int64_t seq_, batch_;
};

Status RollShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRankAtLeast(0, 1));
  for (int i = 1; i < 3; ++i) {
    if (ctx.input(i).rank() > 1) return InvalidArgument(Cat("input ", i, " should be a scalar or a vector"));
  }
  SymShape both;
  MR_RETURN_IF_ERROR(ctx.Merge(ctx.input(1), ctx.input(2), &both));
  ctx.set_output(0, ctx.input(0));
  return OkStatus();
}

Status RunRoll(KernelContext& ctx) {
  const TensorView &x = ctx.input(0), &shifts = ctx.input(1), &axes = ctx.input(2);
  if (shifts.num_elements != axes.num_elements) {
    return InvalidArgument(
        Cat("shift and axis should have as many elements, found ", shifts.num_elements, " and ", axes.num_elements));
  }
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, x.shape()));
  if (x.rank < 1) return InvalidArgument("the input must have at least one dimension");
  const size_t rank = static_cast<size_t>(x.rank);
  Ints shift(rank, 0);
  absl::InlinedVector<size_t, 8> rolled;
  for (int64_t i = 0; i < shifts.num_elements; ++i) {
    int axis = 0;
    MR_RETURN_IF_ERROR(array::NormalizeAxis(array::IntAt(axes, i), x.rank, "axis", &axis));
    const int64_t extent = std::max<int64_t>(x.dim(axis), 1);
    int64_t& s = shift[static_cast<size_t>(axis)];
    s = ((s + array::IntAt(shifts, i) % extent) % extent + extent) % extent;
  }
  for (size_t k = 0; k < rank; ++k) {
    if (shift[k] != 0) rolled.push_back(k);
  }
  if (rolled.size() > 30) return InvalidArgument("too many dimensions are rolled");
  // Each rolled dimension is two pieces that change places: 2^n boxes.
  const Ints strides = array::StridesOf(x.shape());
  void* const out = ctx.output(0).data;
  for (uint32_t box = 0; box < (uint32_t{1} << rolled.size()); ++box) {
    Ints dims = array::IntsOf(x.shape());
    int64_t from = 0, to = 0;
    for (size_t r = 0; r < rolled.size(); ++r) {
      const size_t k = rolled[r];
      if ((box >> r & 1) == 0) {  // [0, extent - shift) goes to shift
        dims[k] -= shift[k];
        to += shift[k] * strides[k];
      } else {  // the rest goes to 0
        from += (dims[k] - shift[k]) * strides[k];
        dims[k] = shift[k];
      }
    }
    array::StridedCopy(ctx, x.dtype, SpanOf(dims), array::ElementAt(x.data, x.dtype, from), SpanOf(strides),
                       array::ElementAt(out, x.dtype, to), SpanOf(strides));
  }
  return OkStatus();
}

}  // namespace

namespace families {
void array_reverse(Registry& registry) {
  registry.Define("ReverseV2")
      .Input("tensor: T")
      .Input("axis: Tidx")
      .Output("output: T")
      .Attr("Tidx: {int32, int64} = DT_INT32")
      .Attr(
          "T: {uint8, int8, uint16, int16, int32, uint32, int64, uint64, bool, bfloat16, half, float, double, "
          "complex64, complex128, string}")
      .Doc("Some dimensions backwards, named by number.")
      .Shape(ReverseV2Shape)
      .Kernel("CPU", MakeKernel<RunReverseV2>);
  registry.Define("Reverse")
      .Input("tensor: T")
      .Input("dims: bool")
      .Output("output: T")
      .Attr(
          "T: {uint8, int8, uint16, int16, uint32, int32, uint64, int64, bool, bfloat16, half, float, double, "
          "complex64, complex128, string}")
      .Doc("Some dimensions backwards, named by a boolean each.")
      .Shape(ReverseShape)
      .Kernel("CPU", MakeKernel<RunReverse>);
  registry.Define("ReverseSequence")
      .Input("input: T")
      .Input("seq_lengths: Tlen")
      .Output("output: T")
      .Attr("seq_dim: int")
      .Attr("batch_dim: int = 0")
      .Attr("T: type")
      .Attr("Tlen: {int32, int64} = DT_INT64")
      .Doc("The first seq_lengths[b] positions of batch entry b backwards.")
      .Shape(SequenceShape)
      .Kernel("CPU", NewKernel<ReverseSequence>);
  registry.Define("Roll")
      .Input("input: T")
      .Input("shift: Tshift")
      .Input("axis: Taxis")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tshift: {int32, int64}")
      .Attr("Taxis: {int32, int64}")
      .Doc("Dimensions shifted; what leaves at one end enters at the other.")
      .Shape(RollShape)
      .Kernel("CPU", MakeKernel<RunRoll>);
}
}  // namespace families
}  // namespace millrace
