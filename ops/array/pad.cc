// Pad, PadV2, MirrorPad, MirrorPadGrad.
#include "millrace/ops/array/move.h"
#include "millrace/ops/array/operands.h"
#include "millrace/ops/array/strided_copy.h"
#include "millrace/ops/reduce/number.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using array::Ints;
using array::SpanOf;

// `sign` is 1 for a pad, -1 for its gradient, which takes the border off.
Status PaddedShape(InferenceContext& ctx, int sign) {
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 2));
  const SymShape& paddings = ctx.input(1);
  SymShape out = ctx.input(0);
  if (paddings.has_rank) {
    Dim two;
    MR_RETURN_IF_ERROR(ctx.Merge(paddings.dims[1], Dim(2), &two));
    if (out.has_rank) {
      Dim rank;
      MR_RETURN_IF_ERROR(ctx.Merge(paddings.dims[0], Dim(out.rank()), &rank));
    } else if (paddings.dims[0].known() && paddings.dims[0].value() <= Shape::kMaxRank) {
      out = SymShape::Unknown(static_cast<int>(paddings.dims[0].value()));
    }
  }
  if (!out.has_rank) return OkStatus();
  const auto values = array::IntConstant(ctx, 1);
  if (!values || values->size() != 2 * out.dims.size()) {
    ctx.set_output(0, SymShape::Unknown(out.rank()));
    return OkStatus();
  }
  for (size_t k = 0; k < out.dims.size(); ++k) {
    const int64_t before = (*values)[2 * k], after = (*values)[2 * k + 1];
    if (before < 0 || after < 0) {
      return InvalidArgument(Cat("paddings must not be negative, found ", before, " and ", after));
    }
    int64_t both = 0;
    if (__builtin_add_overflow(before, after, &both)) return InvalidArgument("paddings are too large");
    if (sign > 0) out.dims[k] = ctx.dims().Add(out.dims[k], Dim(both));
    else out.dims[k] = ctx.dims().Sub(out.dims[k], Dim(both));
  }
  ctx.set_output(0, std::move(out));
  return OkStatus();
}
Status PadShape(InferenceContext& ctx) { return PaddedShape(ctx, 1); }
Status MirrorPadGradShape(InferenceContext& ctx) { return PaddedShape(ctx, -1); }

// Reads and checks the paddings (input 1) against a tensor of that rank.
Status ReadPaddings(KernelContext& ctx, int rank, Ints* before, Ints* after) {
  const TensorView& paddings = ctx.input(1);
  if (paddings.num_elements != 2 * rank) {
    return InvalidArgument(Cat("paddings should have shape [", rank, ",2], found ", array::DimsText(paddings.shape())));
  }
  for (int k = 0; k < rank; ++k) {
    before->push_back(array::IntAt(paddings, 2 * k));
    after->push_back(array::IntAt(paddings, 2 * k + 1));
    if (before->back() < 0 || after->back() < 0) {
      return InvalidArgument(Cat("paddings must not be negative, found ", before->back(), " and ", after->back()));
    }
  }
  return OkStatus();
}

// Output 0 with the input in its middle; `fill` everywhere else (null: left as it is).
Status PlaceInMiddle(KernelContext& ctx, const Ints& before, const Ints& after, const void* fill) {
  const TensorView& input = ctx.input(0);
  Ints dims = array::IntsOf(input.shape());
  for (size_t k = 0; k < dims.size(); ++k) {
    if (__builtin_add_overflow(dims[k], before[k], &dims[k]) || __builtin_add_overflow(dims[k], after[k], &dims[k])) {
      return InvalidArgument("paddings are too large");
    }
  }
  if (!ElementCount(SpanOf(dims))) {
    return InvalidArgument(Cat("no tensor has shape ", array::DimsText(SpanOf(dims))));
  }
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
  const TensorView& out = ctx.output(0);
  if (fill != nullptr && out.num_elements != input.num_elements) {
    array::FillElements(ctx, out.dtype, fill, out.data, out.num_elements);
  }
  const Ints strides = array::StridesOf(SpanOf(dims));
  int64_t first = 0;
  for (size_t k = 0; k < dims.size(); ++k) first += before[k] * strides[k];
  array::StridedCopy(ctx, out.dtype, input.shape(), input.data, SpanOf(array::StridesOf(input.shape())),
                     array::ElementAt(out.data, out.dtype, first), SpanOf(strides));
  return OkStatus();
}

Status RunPad(KernelContext& ctx) {
  Ints before, after;
  MR_RETURN_IF_ERROR(ReadPaddings(ctx, ctx.input(0).rank, &before, &after));
  return array::DispatchWord(ctx.input(0).dtype, [&]<typename W>() {
    const W zero{};
    return PlaceInMiddle(ctx, before, after, &zero);
  });
}
Status RunPadV2(KernelContext& ctx) {
  Ints before, after;
  MR_RETURN_IF_ERROR(ReadPaddings(ctx, ctx.input(0).rank, &before, &after));
  return PlaceInMiddle(ctx, before, after, ctx.input(2).data);
}

// 1 where the mirror's edge is not repeated (REFLECT), 0 where it is (SYMMETRIC).
int64_t MirrorOffset(const KernelInit& init) { return init.attr<std::string>("mode") == "REFLECT" ? 1 : 0; }

Status CheckMirror(int dim, int64_t extent, int64_t offset, int64_t before, int64_t after) {
  const int64_t most = extent - offset;
  if (before > most || after > most) {
    return InvalidArgument(Cat("dimension ", dim, " of size ", extent, " can be mirrored by at most ", most,
                               ", found paddings ", before, " and ", after));
  }
  return OkStatus();
}

class MirrorPad final : public Kernel {
 public:
  explicit MirrorPad(const KernelInit& init) : offset_(MirrorOffset(init)) {}
  Status Run(KernelContext& ctx) const override {
    const TensorView& input = ctx.input(0);
    Ints before, after;
    MR_RETURN_IF_ERROR(ReadPaddings(ctx, input.rank, &before, &after));
    for (int k = 0; k < input.rank; ++k) {
      const size_t i = static_cast<size_t>(k);
      MR_RETURN_IF_ERROR(CheckMirror(k, input.dim(k), offset_, before[i], after[i]));
    }
    MR_RETURN_IF_ERROR(PlaceInMiddle(ctx, before, after, nullptr));
    // Dimension by dimension: what is there so far is mirrored to both sides.
    const TensorView& out = ctx.output(0);
    const Ints strides = array::StridesOf(out.shape());
    Ints dims = array::IntsOf(input.shape());
    int64_t origin = 0;
    for (size_t k = 0; k < dims.size(); ++k) origin += before[k] * strides[k];
    for (size_t k = dims.size(); k-- > 0;) {
      const int64_t extent = input.dims[k];
      Ints from = strides, slab = dims;
      from[k] = -strides[k];
      const auto at = [&](int64_t i) { return array::ElementAt(out.data, out.dtype, origin + i * strides[k]); };
      slab[k] = before[k];
      // before: positions -1, -2 ... take offset, offset + 1 ...; copied from the far end.
      array::StridedCopy(ctx, out.dtype, SpanOf(slab), at(before[k] - 1 + offset_), SpanOf(from), at(-before[k]),
                         SpanOf(strides));
      slab[k] = after[k];
      array::StridedCopy(ctx, out.dtype, SpanOf(slab), at(extent - 1 - offset_), SpanOf(from), at(extent),
                         SpanOf(strides));
      dims[k] = out.dims[k];
      origin -= before[k] * strides[k];
    }
    return OkStatus();
  }

 private:
  const int64_t offset_;
};

// Every element of dy goes to where MirrorPad took it from.
class MirrorPadGrad final : public Kernel {
 public:
  explicit MirrorPadGrad(const KernelInit& init) : offset_(MirrorOffset(init)) {}
  Status Run(KernelContext& ctx) const override {
    const TensorView& dy = ctx.input(0);
    Ints before, after;
    MR_RETURN_IF_ERROR(ReadPaddings(ctx, dy.rank, &before, &after));
    Ints dims = array::IntsOf(dy.shape());
    for (int k = 0; k < dy.rank; ++k) {
      const size_t i = static_cast<size_t>(k);
      if (before[i] > dims[i] || after[i] > dims[i] - before[i]) {
        return InvalidArgument(
            Cat("paddings ", before[i], " and ", after[i], " are more than dimension ", k, " of size ", dims[i]));
      }
      dims[i] -= before[i] + after[i];
      MR_RETURN_IF_ERROR(CheckMirror(k, dims[i], offset_, before[i], after[i]));
    }
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, SpanOf(dims)));
    switch (dy.dtype) {
      case DType::kFloat:
        return Fold<float>(ctx, before);
      case DType::kDouble:
        return Fold<double>(ctx, before);
      case DType::kHalf:
        return Fold<Half>(ctx, before);
      case DType::kBfloat16:
        return Fold<BFloat16>(ctx, before);
      case DType::kInt8:
        return Fold<int8_t>(ctx, before);
      case DType::kInt16:
        return Fold<int16_t>(ctx, before);
      case DType::kInt32:
        return Fold<int32_t>(ctx, before);
      case DType::kInt64:
        return Fold<int64_t>(ctx, before);
      case DType::kUint8:
        return Fold<uint8_t>(ctx, before);
      case DType::kUint16:
        return Fold<uint16_t>(ctx, before);
      case DType::kUint32:
        return Fold<uint32_t>(ctx, before);
      case DType::kUint64:
        return Fold<uint64_t>(ctx, before);
      case DType::kComplex64:
        return Fold<std::complex<float>>(ctx, before);
      case DType::kComplex128:
        return Fold<std::complex<double>>(ctx, before);
      default:
        return Unimplemented(Cat("no kernel for ", DTypeName(dy.dtype)));
    }
  }

 private:
  template <typename T>
  Status Fold(KernelContext& ctx, const Ints& before) const {
    using A = reduce::Accumulator<T>;
    const TensorView& dy = ctx.input(0);
    const TensorView& out = ctx.output(0);
    const Ints strides = array::StridesOf(out.shape());
    A* acc = nullptr;
    if constexpr (reduce::kIsSmallFloat<T>) {
      MR_ASSIGN_OR_RETURN(void* scratch, ctx.Scratch(static_cast<size_t>(out.num_elements) * sizeof(A)));
      acc = static_cast<A*>(scratch);
    } else {
      acc = reinterpret_cast<A*>(out.as<T>());
    }
    std::fill_n(acc, out.num_elements, A(0));
    if (out.num_elements == 0) return OkStatus();
    Ints index(static_cast<size_t>(dy.rank), 0);
    for (int64_t i = 0; i < dy.num_elements; ++i) {
      int64_t at = 0;
      for (size_t k = 0; k < index.size(); ++k) {
        const int64_t extent = out.dims[k];
        int64_t p = index[k] - before[k];
        if (p < 0) p = -p - 1 + offset_;
        else if (p >= extent) p = 2 * extent - 1 - p - offset_;
        at += p * strides[k];
      }
      acc[at] = reduce::Plus(acc[at], static_cast<A>(dy.as<T>()[i]));
      for (size_t k = index.size(); k-- > 0;) {
        if (++index[k] < dy.dims[k]) break;
        index[k] = 0;
      }
    }
    if constexpr (reduce::kIsSmallFloat<T>) {
      for (int64_t i = 0; i < out.num_elements; ++i) out.as<T>()[i] = static_cast<T>(acc[i]);
    }
    return OkStatus();
  }

  const int64_t offset_;
};

}  // namespace

namespace families {
void array_pad(Registry& registry) {
  registry.Define("Pad")
      .Input("input: T")
      .Input("paddings: Tpaddings")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tpaddings: {int32, int64} = DT_INT32")
      .Doc("The input with a border of zeros.")
      .Shape(PadShape)
      .Kernel("CPU", MakeKernel<RunPad>);
  registry.Define("PadV2")
      .Input("input: T")
      .Input("paddings: Tpaddings")
      .Input("constant_values: T")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tpaddings: {int32, int64} = DT_INT32")
      .Doc("The input with a border of one value.")
      .Shape(PadShape)
      .Kernel("CPU", MakeKernel<RunPadV2>);
  registry.Define("MirrorPad")
      .Input("input: T")
      .Input("paddings: Tpaddings")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tpaddings: {int32, int64} = DT_INT32")
      .Attr("mode: {'REFLECT', 'SYMMETRIC'}")
      .Doc("The input with a border that mirrors it.")
      .Shape(PadShape)
      .Kernel("CPU", NewKernel<MirrorPad>);
  registry.Define("MirrorPadGrad")
      .Input("input: T")
      .Input("paddings: Tpaddings")
      .Output("output: T")
      .Attr("T: type")
      .Attr("Tpaddings: {int32, int64} = DT_INT32")
      .Attr("mode: {'REFLECT', 'SYMMETRIC'}")
      .Doc("The gradient of MirrorPad: the border folded back.")
      .Shape(MirrorPadGradShape)
      .Kernel("CPU", NewKernel<MirrorPadGrad>);
}
}  // namespace families
}  // namespace millrace
