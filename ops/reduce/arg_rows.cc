// ArgMax and ArgMin of rows: the first of the best, and never a NaN, as the ops
// have it.
#include <type_traits>

#include "millrace/ops/reduce/definitions.h"
#include "millrace/ops/reduce/number.h"

namespace millrace::reduce {
namespace {

// Of Index: where it is, 0 where everything was NaN.
template <typename T, bool kMax, typename Index>
struct ArgLoops {
  using Held = std::conditional_t<kIsSmallFloat<T>, float, T>;
  struct State {
    Held best;
    bool chosen;
    int64_t index, count;  // of the elements so far
  };
  static_assert(sizeof(State) <= kRowStateBytes);

  // A NaN is never better.
  static bool Better(bool chosen, Held best, Held v) { return chosen ? (kMax ? v > best : v < best) : v == v; }

  static void Look(State& state, const T* x, int64_t n) {
    State s = state;
    for (int64_t i = 0; i < n; ++i) {
      const Held v = static_cast<Held>(x[i]);
      if (Better(s.chosen, s.best, v)) s = {v, true, s.count + i, s.count};
    }
    s.count += n;
    state = s;
  }

  static void Rows(const void* x, int64_t rows, int64_t n, void* out) {
    for (int64_t r = 0; r < rows; ++r) {
      State s{};
      Look(s, static_cast<const T*>(x) + r * n, n);
      Finish(&s, n, static_cast<Index*>(out) + r);
    }
  }
  static void Feed(void* state, int64_t at, const void* x, int64_t n, bool) {
    State& s = *static_cast<State*>(state);
    if (at == 0) s = State{};
    Look(s, static_cast<const T*>(x), n);
  }
  static void Join(void* state, const void* following) {
    State& s = *static_cast<State*>(state);
    const State& next = *static_cast<const State*>(following);
    if (next.chosen && Better(s.chosen, s.best, next.best)) s = {next.best, true, s.count + next.index, s.count};
    s.count += next.count;
  }
  static void Finish(const void* state, int64_t, void* out) {
    *static_cast<Index*>(out) = static_cast<Index>(static_cast<const State*>(state)->index);
  }
};

template <typename T, bool kMax, typename Index>
constexpr RowReducer kArgReducer = {ArgLoops<T, kMax, Index>::Rows,
                                    ArgLoops<T, kMax, Index>::Feed,
                                    ArgLoops<T, kMax, Index>::Join,
                                    ArgLoops<T, kMax, Index>::Finish,
                                    2,
                                    {}};

template <typename T, bool kMax>
const RowReducer* ByIndex(DType index) {
  if (index == DType::kInt64) return &kArgReducer<T, kMax, int64_t>;
  if (index == DType::kInt32) return &kArgReducer<T, kMax, int32_t>;
  const bool small = index == DType::kInt16 || index == DType::kUint16;
  return small ? &kArgReducer<T, kMax, uint16_t> : nullptr;
}

template <bool kMax, typename... Ts>
const RowReducer* ByType(DType type, DType index) {
  const RowReducer* found = nullptr;
  ((type == kDTypeOf<Ts> ? void(found = ByIndex<Ts, kMax>(index)) : void()), ...);
  return found;
}
template <bool kMax>
const RowReducer* ArgRows(DType type, DType index) {
  return ByType<kMax, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                uint64_t>(type == DType::kBool ? DType::kUint8 : type, index);
}

}  // namespace

const RowReducer* ArgMaxRows(DType type, DType index) { return ArgRows<true>(type, index); }
const RowReducer* ArgMinRows(DType type, DType index) { return ArgRows<false>(type, index); }

}  // namespace millrace::reduce
