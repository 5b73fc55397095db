// Arithmetic on any element type as reductions and updates need it: 16-bit
// floats by way of float, integers that wrap, complex products without the
// special cases of the standard library.
#pragma once

#include <complex>
#include <cstdint>
#include <type_traits>

#include "millrace/proto/value/half.h"

namespace millrace::reduce {

template <typename T>
inline constexpr bool kIsSmallFloat = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;
template <typename T>
inline constexpr bool kIsComplex = false;
template <typename T>
inline constexpr bool kIsComplex<std::complex<T>> = true;

// What sums and products of T are held in.
template <typename T, bool = std::is_integral_v<T>>
struct AccumulatorOf {
  using type = std::conditional_t<kIsSmallFloat<T>, float, T>;
};
template <typename T>
struct AccumulatorOf<T, true> {
  using type = std::make_unsigned_t<T>;
};
template <>
struct AccumulatorOf<bool, true> {
  using type = bool;
};
template <typename T>
using Accumulator = typename AccumulatorOf<T>::type;

// The wider one that sums of a few such can be held in: their last digits are
// right although large terms cancel.
template <typename A>
using ShortAccumulator = std::conditional_t<std::is_same_v<A, float>, double, A>;

template <typename A>
inline A Plus(A a, A b) {
  return static_cast<A>(a + b);
}
template <typename A>
inline A Times(A a, A b) {
  if constexpr (kIsComplex<A>) {
    return A(a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real());
  } else if constexpr (std::is_unsigned_v<A> && sizeof(A) < 4) {
    return static_cast<A>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
  } else {
    return static_cast<A>(a * b);
  }
}

}  // namespace millrace::reduce
