// Max, Min, All, Any.
#include <limits>

#include "millrace/ops/reduce/engine.h"
#include "millrace/ops/reduce/number.h"
#include "millrace/ops/registry/op.h"

namespace millrace {
namespace {

template <typename T>
using Held = std::conditional_t<reduce::kIsSmallFloat<T>, float, T>;

template <typename A>
constexpr A Lowest() {
  if constexpr (std::numeric_limits<A>::has_infinity) return -std::numeric_limits<A>::infinity();
  else return std::numeric_limits<A>::lowest();
}
template <typename A>
constexpr A Highest() {
  if constexpr (std::numeric_limits<A>::has_infinity) return std::numeric_limits<A>::infinity();
  else return std::numeric_limits<A>::max();
}

// A NaN wins, wherever it is.
template <typename T>
struct MaxOf {
  using In = T;
  using Out = T;
  using Acc = Held<T>;
  static constexpr double kCycles = 0.12 * sizeof(T);
  static Acc Initial() { return Lowest<Acc>(); }
  static Acc Load(T x) { return static_cast<Acc>(x); }
  static Acc Combine(Acc a, Acc b) {
    if constexpr (std::is_floating_point_v<Acc>) a = b != b ? b : a;
    return b > a ? b : a;
  }
  static T Finish(Acc a, int64_t) { return static_cast<T>(a); }
};
template <typename T>
struct MinOf {
  using In = T;
  using Out = T;
  using Acc = Held<T>;
  static constexpr double kCycles = 0.12 * sizeof(T);
  static Acc Initial() { return Highest<Acc>(); }
  static Acc Load(T x) { return static_cast<Acc>(x); }
  static Acc Combine(Acc a, Acc b) {
    if constexpr (std::is_floating_point_v<Acc>) a = b != b ? b : a;
    return b < a ? b : a;
  }
  static T Finish(Acc a, int64_t) { return static_cast<T>(a); }
};

template <typename T>
struct AllOf {
  using In = bool;
  using Out = bool;
  using Acc = uint8_t;
  static constexpr double kCycles = 0.1;
  static Acc Initial() { return 1; }
  static Acc Load(bool x) { return x; }
  static Acc Combine(Acc a, Acc b) { return a & b; }
  static bool Finish(Acc a, int64_t) { return a != 0; }
};
template <typename T>
struct AnyOf {
  using In = bool;
  using Out = bool;
  using Acc = uint8_t;
  static constexpr double kCycles = 0.1;
  static Acc Initial() { return 0; }
  static Acc Load(bool x) { return x; }
  static Acc Combine(Acc a, Acc b) { return a | b; }
  static bool Finish(Acc a, int64_t) { return a != 0; }
};

}  // namespace

namespace families {
void reduce_extremes(Registry& registry) {
  registry.Define("Max")
      .Input("input: T")
      .Input("reduction_indices: Tidx")
      .Output("output: T")
      .Attr("keep_dims: bool = false")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64, qint8, quint8, "
          "qint32, qint16, quint16}")
      .Attr("Tidx: {int32, int64} = DT_INT32")
      .Doc("The largest element over some dimensions; NaN where one is there.")
      .Shape(reduce::ReductionShape)
      .Kernel("CPU", reduce::NewReduction<MaxOf, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t,
                                          uint8_t, uint16_t, uint32_t, uint64_t>);
  registry.Define("Min")
      .Input("input: T")
      .Input("reduction_indices: Tidx")
      .Output("output: T")
      .Attr("keep_dims: bool = false")
      .Attr(
          "T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64, qint8, quint8, "
          "qint32, qint16, quint16}")
      .Attr("Tidx: {int32, int64} = DT_INT32")
      .Doc("The smallest element over some dimensions; NaN where one is there.")
      .Shape(reduce::ReductionShape)
      .Kernel("CPU", reduce::NewReduction<MinOf, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t,
                                          uint8_t, uint16_t, uint32_t, uint64_t>);
  registry.Define("All")
      .Input("input: bool")
      .Input("reduction_indices: Tidx")
      .Output("output: bool")
      .Attr("keep_dims: bool = false")
      .Attr("Tidx: {int32, int64} = DT_INT32")
      .Doc("Whether all elements over some dimensions are true.")
      .Shape(reduce::ReductionShape)
      .NoGradient("booleans")
      .Kernel("CPU", reduce::NewReduction<AllOf, bool>);
  registry.Define("Any")
      .Input("input: bool")
      .Input("reduction_indices: Tidx")
      .Output("output: bool")
      .Attr("keep_dims: bool = false")
      .Attr("Tidx: {int32, int64} = DT_INT32")
      .Doc("Whether any element over some dimensions is true.")
      .Shape(reduce::ReductionShape)
      .NoGradient("booleans")
      .Kernel("CPU", reduce::NewReduction<AnyOf, bool>);
}
}  // namespace families
}  // namespace millrace
