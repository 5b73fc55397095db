// Max, Min, All, Any.
#include <limits>

#include "millrace/ops/reduce/definitions.h"
#include "millrace/ops/reduce/number.h"

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

const reduce::RowReducer* reduce::MaxRows(DType type) { return FindRows<MaxOf>(RealTypes(), type); }
const reduce::RowReducer* reduce::MinRows(DType type) { return FindRows<MinOf>(RealTypes(), type); }
const reduce::RowReducer* reduce::AllRows(DType type) { return FindRows<AllOf>(Types<bool>(), type); }
const reduce::RowReducer* reduce::AnyRows(DType type) { return FindRows<AnyOf>(Types<bool>(), type); }

namespace families {
void reduce_extremes(Registry& registry) {
  using reduce::DefineReduction;
  DefineReduction(registry, "Max", reduce::kOrdered)
      .Doc("The largest element over some dimensions; NaN where one is there.")
      .Kernel("CPU", reduce::MakeReduction<MaxOf, RealTypes>);
  DefineReduction(registry, "Min", reduce::kOrdered)
      .Doc("The smallest element over some dimensions; NaN where one is there.")
      .Kernel("CPU", reduce::MakeReduction<MinOf, RealTypes>);
  DefineReduction(registry, "All", "")
      .Doc("Whether all elements over some dimensions are true.")
      .NoGradient("truth values have none")
      .Kernel("CPU", reduce::MakeReduction<AllOf, Types<bool>>);
  DefineReduction(registry, "Any", "")
      .Doc("Whether any element over some dimensions is true.")
      .NoGradient("truth values have none")
      .Kernel("CPU", reduce::MakeReduction<AnyOf, Types<bool>>);
}
}  // namespace families
}  // namespace millrace
