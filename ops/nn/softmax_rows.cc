// Compiled for each instruction set: nothing of the standard library.
#include "millrace/ops/nn/softmax_rows.h"

#include "millrace/ops/expr/functions.h"

MILLRACE_ISA_NAMESPACE_BEGIN
namespace {

// As many as AVX-512 has, whatever the instruction set.
template <typename T>
constexpr int kRowLanes = 64 / static_cast<int>(sizeof(T));
template <typename T>
using Lanes = Vec<T, kRowLanes<T>>;

// The first `count` elements, the rest from `rest`.
template <typename T>
MILLRACE_INLINE Lanes<T> LoadLanes(const T* p, int64_t count, Lanes<T> rest) {
  __builtin_memcpy(&rest, p, static_cast<size_t>(count) * sizeof(T));
  return rest;
}

// Halves of the lanes are joined until one is left.
template <typename T, typename Join>
MILLRACE_INLINE T Reduce(Lanes<T> v, Join join) {
  T lanes[kRowLanes<T>];
  __builtin_memcpy(lanes, &v, sizeof(lanes));
  for (int width = kRowLanes<T> / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) lanes[i] = join(lanes[i], lanes[i + width]);
  }
  return lanes[0];
}

template <typename T>
T ExpSum(const T* x, int64_t count, T* out, T* max) {
  using L = Lanes<T>;
  constexpr int64_t kLane = kRowLanes<T>;
  const int64_t whole = count / kLane * kLane;
  const T lowest = -__builtin_inf();
  L best = L(lowest);
  for (int64_t i = 0; i < whole; i += kLane) best = Max2(LoadLanes(x + i, kLane, L(lowest)), best);
  if (whole < count) best = Max2(LoadLanes(x + whole, count - whole, L(lowest)), best);
  const T top = Reduce<T>(best, [](T a, T b) { return a > b ? a : b; });
  *max = top;
  L sum = L(T(0));
  for (int64_t i = 0; i < whole; i += kLane) {
    const L e = ExpDown(LoadLanes(x + i, kLane, L(T(0))) - L(top));
    if (out != nullptr) __builtin_memcpy(out + i, &e, sizeof(e));
    sum = sum + e;
  }
  if (whole < count) {
    const int64_t rest = count - whole;
    L e = ExpDown(LoadLanes(x + whole, rest, L(T(0))) - L(top));
    if (out != nullptr) __builtin_memcpy(out + whole, &e, static_cast<size_t>(rest) * sizeof(T));
    // Lanes past the row count as zero.
    L kept = L(T(0));
    __builtin_memcpy(&kept, &e, static_cast<size_t>(rest) * sizeof(T));
    sum = sum + kept;
  }
  return Reduce<T>(sum, [](T a, T b) { return a + b; });
}

template <typename T>
T LogOf(T x) {
  const Vec<T, 16 / sizeof(T)> y = Log(Vec<T, 16 / sizeof(T)>(x));
  return y.v[0];
}

}  // namespace

extern const nn::SoftmaxRows kSoftmaxRows;
const nn::SoftmaxRows kSoftmaxRows = {{ExpSum<float>, LogOf<float>}, {ExpSum<double>, LogOf<double>}};

MILLRACE_ISA_NAMESPACE_END
