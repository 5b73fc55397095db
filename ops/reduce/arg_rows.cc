// ArgMax and ArgMin of rows: the first of the best, and never a NaN, as the ops
// have it.
#include <cstring>
#include <type_traits>

#include "millrace/ops/reduce/definitions.h"
#include "millrace/ops/reduce/number.h"

namespace millrace::reduce {
namespace {

template <typename T>
using HeldOf = std::conditional_t<kIsSmallFloat<T>, float, T>;

// Of the elements so far.
template <typename T>
struct State {
  HeldOf<T> best;
  bool chosen;
  int64_t index, count;  // 0 where everything was NaN
};

// What depends on the element type.
template <typename T, bool kMax>
struct ArgLoops {
  using Held = HeldOf<T>;
  // A NaN is never better.
  static bool Better(bool chosen, Held best, Held v) { return chosen ? (kMax ? v > best : v < best) : v == v; }

  // n elements more.
  static void Look(void* state, const void* elements, int64_t n) {
    State<T> s = *static_cast<State<T>*>(state);
    const T* x = static_cast<const T*>(elements);
    for (int64_t i = 0; i < n; ++i) {
      const Held v = static_cast<Held>(x[i]);
      if (Better(s.chosen, s.best, v)) s = {v, true, s.count + i, s.count};
    }
    s.count += n;
    *static_cast<State<T>*>(state) = s;
  }
  static void Join(void* state, const void* following) {
    State<T>& s = *static_cast<State<T>*>(state);
    const State<T>& next = *static_cast<const State<T>*>(following);
    if (next.chosen && Better(s.chosen, s.best, next.best)) s = {next.best, true, s.count + next.index, s.count};
    s.count += next.count;
  }
  static int64_t IndexIn(const void* state) { return static_cast<const State<T>*>(state)->index; }
};

// Functions of ArgLoops, and the element type's size.
struct Functions {
  size_t bytes;
  void (*look)(void* state, const void* x, int64_t n);
  void (*join)(void* state, const void* next);
  int64_t (*index_in)(const void* state);
};
template <typename T, bool kMax>
constexpr Functions kFunctions = {sizeof(T), ArgLoops<T, kMax>::Look, ArgLoops<T, kMax>::Join,
                                  ArgLoops<T, kMax>::IndexIn};

// `index_bytes`: of the results.
class ArgRows final : public RowReducer {
 public:
  constexpr ArgRows(const Functions& functions, int index_bytes)
      : RowReducer(2, {}), functions_(functions), index_bytes_(index_bytes) {}

  void rows(const void* x, int64_t rows, int64_t n, void* out) const override {
    const char* row = static_cast<const char*>(x);
    for (int64_t r = 0; r < rows; ++r, row += n * static_cast<int64_t>(functions_.bytes)) {
      AnyState state{};
      functions_.look(&state, row, n);
      finish(&state, n, static_cast<char*>(out) + r * index_bytes_);
    }
  }
  void feed(void* state, int64_t at, const void* x, int64_t n, bool) const override {
    if (at == 0) *static_cast<AnyState*>(state) = {};
    functions_.look(state, x, n);
  }
  void join(void* state, const void* next) const override { functions_.join(state, next); }
  void finish(const void* state, int64_t, void* out) const override {
    const int64_t index = functions_.index_in(state);  // its first bytes, as integers wrap
    std::memcpy(out, &index, static_cast<size_t>(index_bytes_));
  }

 private:
  // All bytes are 0 before the first element.
  struct AnyState {
    alignas(16) char bytes[sizeof(State<int64_t>)];
  };
  static_assert(sizeof(AnyState) <= kRowStateBytes);

  const Functions& functions_;
  const int index_bytes_;
};

template <typename T, bool kMax, int kIndexBytes>
constexpr ArgRows kArgRows(kFunctions<T, kMax>, kIndexBytes);

template <typename T, bool kMax>
const RowReducer* ByIndex(DType index) {
  if (index == DType::kInt64) return &kArgRows<T, kMax, 8>;
  if (index == DType::kInt32) return &kArgRows<T, kMax, 4>;
  const bool small = index == DType::kInt16 || index == DType::kUint16;
  return small ? &kArgRows<T, kMax, 2> : nullptr;
}

template <bool kMax, typename... Ts>
const RowReducer* Find(Types<Ts...>, DType type, DType index) {
  const RowReducer* found = nullptr;
  ((type == kDTypeOf<Ts> ? void(found = ByIndex<Ts, kMax>(index)) : void()), ...);
  return found;
}
template <bool kMax>
const RowReducer* Find(DType type, DType index) {
  return Find<kMax>(RealTypes(), type == DType::kBool ? DType::kUint8 : type, index);
}

}  // namespace

const RowReducer* ArgMaxRows(DType type, DType index) { return Find<true>(type, index); }
const RowReducer* ArgMinRows(DType type, DType index) { return Find<false>(type, index); }

}  // namespace millrace::reduce
