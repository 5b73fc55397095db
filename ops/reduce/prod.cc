// Prod, EuclideanNorm.
#include <cmath>

#include "millrace/ops/reduce/definitions.h"
#include "millrace/ops/reduce/layout.h"
#include "millrace/ops/reduce/number.h"

namespace millrace {
namespace {

template <typename T>
struct ProdOf {
  using In = T;
  using Out = T;
  using Acc = reduce::Accumulator<T>;
  static constexpr double kCycles = 0.2 * sizeof(T);
  static Acc Initial() { return Acc(1); }
  static Acc Load(T x) { return static_cast<Acc>(x); }
  static Acc Combine(Acc a, Acc b) { return reduce::Times(a, b); }
  static T Finish(Acc a, int64_t) { return static_cast<T>(a); }
};

template <typename T>
struct NormOf {
  using In = T;
  using Out = T;
  using Acc = reduce::Accumulator<T>;
  static constexpr double kCycles = 0.2 * sizeof(T);
  static Acc Initial() { return Acc(0); }
  static Acc Load(T x) {
    if constexpr (reduce::kIsComplex<T>) return Acc(std::norm(x));
    else return reduce::Times(static_cast<Acc>(x), static_cast<Acc>(x));
  }
  static Acc Combine(Acc a, Acc b) { return reduce::Plus(a, b); }
  static T Finish(Acc a, int64_t) {
    if constexpr (reduce::kIsComplex<T>) return T(std::sqrt(a.real()));
    else if constexpr (std::is_integral_v<T>) return static_cast<T>(std::sqrt(static_cast<double>(static_cast<T>(a))));
    else return static_cast<T>(std::sqrt(a));
  }
};

// The product of a shape: a number of elements.
Status ProdShape(InferenceContext& ctx) { return reduce::FoldShape(ctx, &DimTable::Mul, Dim(1)); }

}  // namespace

const reduce::RowReducer* reduce::ProdRows(DType type) { return FindRows<ProdOf>(NumberTypes(), type); }

namespace families {
void reduce_prod(Registry& registry) {
  reduce::DefineReduction(registry, "Prod", reduce::kNumbers)
      .Doc("The product over some dimensions. Integers wrap.")
      .Shape(ProdShape)
      .Kernel("CPU", reduce::MakeReduction<ProdOf, NumberTypes>);
  reduce::DefineReduction(registry, "EuclideanNorm", reduce::kNumbers)
      .Doc("The square root of the sum of squares over some dimensions.")
      .Kernel("CPU", reduce::MakeReduction<NormOf, NumberTypes>);
}
}  // namespace families
}  // namespace millrace
