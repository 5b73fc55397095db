// Range, LinSpace.
#include <cmath>
#include <type_traits>

#include "millrace/ops/array/operands.h"
#include "millrace/ops/kernel/by_type.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using RangeTypes =
    Types<int32_t, int64_t, float, double, Half, BFloat16, int8_t, int16_t, uint16_t, uint32_t, uint64_t>;

// How many numbers there are; each step of the arithmetic is rounded to `Rounded`.
template <typename T, typename Rounded = T>
Status RangeSize(T start, T limit, T delta, int64_t* size) {
  if (delta == 0) return InvalidArgument("delta must not be 0");
  if (delta > 0 ? start > limit : start < limit) {
    return InvalidArgument(Cat("a range from ", start, " to ", limit, " needs a delta of the other sign than ", delta));
  }
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    const uint64_t distance = delta > 0 ? static_cast<U>(static_cast<U>(limit) - static_cast<U>(start))
                                        : static_cast<U>(static_cast<U>(start) - static_cast<U>(limit));
    const uint64_t step = delta > 0 ? static_cast<U>(delta) : static_cast<U>(U(0) - static_cast<U>(delta));
    const uint64_t n = distance / step + (distance % step != 0 ? 1 : 0);
    if (n > static_cast<uint64_t>(INT64_MAX)) return InvalidArgument("the range has too many elements");
    *size = static_cast<int64_t>(n);
  } else {
    const T distance = static_cast<T>(static_cast<Rounded>(limit - start));
    const T n = std::ceil(std::abs(static_cast<T>(static_cast<Rounded>(distance / delta))));
    if (!(n < T(9e18))) return InvalidArgument(Cat("the range has too many elements, found ", n));
    *size = static_cast<int64_t>(n);
  }
  return OkStatus();
}

template <typename T>
using Held = std::conditional_t<std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>, float, T>;

Status RangeShape(InferenceContext& ctx) {
  for (int i = 0; i < 3; ++i) MR_RETURN_IF_ERROR(ctx.WithRank(i, 0));
  const DType dtype = ctx.input_info(0).dtype;
  const TensorView *start = ctx.constant(0), *limit = ctx.constant(1), *delta = ctx.constant(2);
  if (start != nullptr && limit != nullptr && delta != nullptr) {
    int64_t size = 0;
    MR_RETURN_IF_ERROR(VisitType(dtype, RangeTypes(), [&]<typename T>() {
      using H = Held<T>;
      return RangeSize<H, T>(static_cast<H>(start->scalar<T>()), static_cast<H>(limit->scalar<T>()),
                             static_cast<H>(delta->scalar<T>()), &size);
    }));
    ctx.set_output(0, SymShape({Dim(size)}));
  } else {
    ctx.set_output(0, SymShape::Unknown(1));
  }
  if (!array::IsIndexType(dtype)) return OkStatus();
  std::vector<SymElement> first, last;
  const std::optional<int64_t> step = array::IntScalar(ctx, 2);
  if (!array::IntElements(ctx, 0, &first) || !array::IntElements(ctx, 1, &last) || first.size() != 1 ||
      last.size() != 1 || !step) {
    return OkStatus();
  }
  if (first[0].known() && last[0].known()) {
    int64_t size = 0;
    MR_RETURN_IF_ERROR(RangeSize<int64_t>(first[0].number, last[0].number, *step, &size));
    ctx.set_output(0, SymShape({Dim(size)}));
    if (size <= Shape::kMaxRank) {
      SymTensor elements;
      for (int64_t i = 0; i < size; ++i) elements.elements.push_back(SymElement::Number(first[0].number + i * *step));
      ctx.set_elements(0, std::move(elements));
    }
  } else if (*step > 0 && first[0].known() && first[0].number == 0 && !last[0].dim().unknown()) {
    // range(0, n): n is an extent, so it is not negative.
    ctx.set_output(0, SymShape({ctx.dims().CeilDiv(last[0].dim(), Dim(*step))}));
  }
  return OkStatus();
}

Status RunRange(KernelContext& ctx) {
  return VisitType(ctx.input(0).dtype, RangeTypes(), [&]<typename T>() -> Status {
    using H = Held<T>;
    const H start = static_cast<H>(ctx.input(0).scalar<T>());
    const H delta = static_cast<H>(ctx.input(2).scalar<T>());
    int64_t size = 0;
    MR_RETURN_IF_ERROR((RangeSize<H, T>(start, static_cast<H>(ctx.input(1).scalar<T>()), delta, &size)));
    MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, {&size, 1}));
    T* out = ctx.output(0).as<T>();
    if constexpr (std::is_integral_v<T>) {
      // Wraps where unsigned arithmetic does.
      using U = std::make_unsigned_t<T>;
      U v = static_cast<U>(start);
      for (int64_t i = 0; i < size; ++i, v = static_cast<U>(v + static_cast<U>(delta))) out[i] = static_cast<T>(v);
    } else {
      // In steps of the element type, as the reference rounds them.
      for (int64_t i = 0; i < size; ++i) {
        const H scaled = static_cast<H>(T(static_cast<H>(T(static_cast<H>(i))) * delta));
        out[i] = static_cast<T>(start + scaled);
      }
    }
    return OkStatus();
  });
}

Status LinSpaceShape(InferenceContext& ctx) {
  for (int i = 0; i < 3; ++i) MR_RETURN_IF_ERROR(ctx.WithRank(i, 0));
  SymShape out = SymShape::Unknown(1);
  if (const auto num = array::IntScalar(ctx, 2)) {
    if (*num <= 0) return InvalidArgument(Cat("num must be positive, found ", *num));
    out.dims[0] = Dim(*num);
  }
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status RunLinSpace(KernelContext& ctx) {
  const int64_t num = array::IntAt(ctx.input(2), 0);
  if (num <= 0) return InvalidArgument(Cat("num must be positive, found ", num));
  MR_RETURN_IF_ERROR(array::PrepareOutput(ctx, 0, {&num, 1}));
  const auto fill = [&]<typename T>() -> Status {
    using H = Held<T>;
    T* out = ctx.output(0).as<T>();
    const T first = ctx.input(0).scalar<T>(), last = ctx.input(1).scalar<T>();
    out[0] = first;
    if (num == 1) return OkStatus();
    const H start = static_cast<H>(first), stop = static_cast<H>(last);
    const H step = (stop - start) / static_cast<H>(num - 1);
    for (int64_t i = 1; i < num - 1; ++i) out[i] = static_cast<T>(start + step * static_cast<H>(i));
    out[num - 1] = last;
    return OkStatus();
  };
  return VisitType(ctx.input(0).dtype, FloatTypes(), fill);
}

}  // namespace

namespace families {
void array_range(Registry& registry) {
  registry.Define("Range")
      .Input("start: Tidx")
      .Input("limit: Tidx")
      .Input("delta: Tidx")
      .Output("output: Tidx")
      .Attr("Tidx: {bfloat16, half, float, double, int8, int16, int32, int64, uint16, uint32, uint64} = DT_INT32")
      .Doc("start, start + delta ... up to, not including, limit.")
      .Shape(RangeShape)
      .NoGradient("its result steps with its inputs")
      .Kernel("CPU", MakeKernel<RunRange>);
  registry.Define("LinSpace")
      .Input("start: T")
      .Input("stop: T")
      .Input("num: Tidx")
      .Output("output: T")
      .Attr("T: {bfloat16, half, float, double}")
      .Attr("Tidx: {int32, int64} = DT_INT32")
      .Doc("`num` values at even distances from start to stop, both included.")
      .Shape(LinSpaceShape)
      .NoGradient("its result steps with its inputs")
      .Kernel("CPU", MakeKernel<RunLinSpace>);
}
}  // namespace families
}  // namespace millrace
