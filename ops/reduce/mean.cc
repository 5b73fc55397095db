// Mean.
#include "millrace/ops/reduce/definitions.h"
#include "millrace/ops/reduce/number.h"

namespace millrace {
namespace {

// Integers are added in 64 bits.
template <typename T>
using MeanAccumulator = std::conditional_t<std::is_integral_v<T>, uint64_t, reduce::Accumulator<T>>;

template <typename T>
struct MeanOf {
  using In = T;
  using Out = T;
  using Acc = MeanAccumulator<T>;
  using Short = reduce::ShortAccumulator<Acc>;
  static constexpr double kCycles = 0.12 * sizeof(Acc);
  static Acc Initial() { return Acc(0); }
  static Acc Load(T x) { return static_cast<Acc>(x); }
  template <typename A>
  static A Combine(A a, A b) {
    return reduce::Plus(a, b);
  }
  static T Finish(Acc a, int64_t count) {
    if constexpr (std::is_integral_v<T>) {
      if (count == 0) return 0;
      if constexpr (std::is_signed_v<T>) return static_cast<T>(static_cast<int64_t>(a) / count);
      else return static_cast<T>(a / static_cast<uint64_t>(count));
    } else if constexpr (reduce::kIsComplex<T>) {
      return a / static_cast<typename T::value_type>(count);
    } else {
      return static_cast<T>(a / static_cast<Acc>(count));
    }
  }
};

}  // namespace

const reduce::RowReducer* reduce::MeanRows(DType type) { return FindRows<MeanOf>(NumberTypes(), type); }

namespace families {
void reduce_mean(Registry& registry) {
  reduce::DefineReduction(registry, "Mean", reduce::kNumbers)
      .Doc("The mean over some dimensions. Integers are added in 64 bits, then divided towards zero.")
      .Kernel("CPU", reduce::MakeReduction<MeanOf, NumberTypes>);
}
}  // namespace families
}  // namespace millrace
