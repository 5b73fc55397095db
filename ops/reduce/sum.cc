// Sum.
#include "millrace/ops/reduce/definitions.h"
#include "millrace/ops/reduce/layout.h"
#include "millrace/ops/reduce/number.h"

namespace millrace {
namespace {

template <typename T>
struct SumOf {
  using In = T;
  using Out = T;
  using Acc = reduce::Accumulator<T>;
  using Short = reduce::ShortAccumulator<Acc>;
  static constexpr double kCycles = 0.12 * sizeof(T);
  static Acc Initial() { return Acc(0); }
  static Acc Load(T x) { return static_cast<Acc>(x); }
  template <typename A>
  static A Combine(A a, A b) {
    return reduce::Plus(a, b);
  }
  static T Finish(Acc a, int64_t) { return static_cast<T>(a); }
};

// The sum of a vector of extents.
Status SumShape(InferenceContext& ctx) { return reduce::FoldShape(ctx, &DimTable::Add, Dim(0)); }

}  // namespace

const reduce::RowReducer* reduce::SumRows(DType type) { return FindRows<SumOf>(NumberTypes(), type); }

namespace families {
void reduce_sum(Registry& registry) {
  reduce::DefineReduction(registry, "Sum", reduce::kNumbers)
      .Doc("The sum over some dimensions. Integers wrap.")
      .Shape(SumShape)
      .Kernel("CPU", reduce::MakeReduction<SumOf, NumberTypes>);
}
}  // namespace families
}  // namespace millrace
