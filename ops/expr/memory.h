// How elements in memory become lanes: the 16-bit floating-point types compute
// in float and are rounded once, on the way back; bool becomes a mask.
#pragma once

#include "millrace/ops/expr/scalar.h"
#include "millrace/ops/kernel/compute_type.h"
#include "millrace/proto/value/dtype.h"

MILLRACE_ISA_NAMESPACE_BEGIN

// A complex number, one a lane.
template <class T>
struct Complex {
  using Elem = T;
  T re, im;
};

namespace internal {
template <class T>
struct IsComplex {
  static constexpr bool value = false;
};
template <class T>
struct IsComplex<std::complex<T>> {
  static constexpr bool value = true;
};
}  // namespace internal
template <class T>
using Compute = ComputeType<T>;
template <class T>
inline constexpr bool kIsComplex = internal::IsComplex<T>::value;

template <class R, class T>
MILLRACE_INLINE R LoadRaw(const T* p) {
  R r;
  std::memcpy(&r, p, sizeof r);
  return r;
}

template <class T, int N>
MILLRACE_INLINE auto Load(const T* p) {
  if constexpr (std::is_same_v<T, bool>) {
    const auto bytes = LoadRaw<Raw<int8_t, N>>(p);
    return Mask<1, N>{typename Mask<1, N>::R(bytes != 0)};
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    const auto wide = ConvertRaw<uint32_t, uint16_t, N>(LoadRaw<Raw<uint16_t, N>>(p)) << 16;
    return Vec<float, N>::Of(__builtin_bit_cast(Raw<float, N>, wide));
  } else if constexpr (std::is_same_v<T, Half>) {
    return Vec<float, N>::Of(ConvertRaw<float, _Float16, N>(LoadRaw<Raw<_Float16, N>>(p)));
  } else if constexpr (kIsComplex<T>) {
    static_assert(N == 1);
    return LoadRaw<Complex<typename T::value_type>>(p);
  } else {
    return Vec<T, N>::Of(LoadRaw<Raw<T, N>>(p));
  }
}

template <class R, class T>
MILLRACE_INLINE void StoreRaw(T* p, R r) {
  std::memcpy(static_cast<void*>(p), &r, sizeof r);
}

template <class T, int B, int N>
MILLRACE_INLINE void Store(T* p, Mask<B, N> m) {
  static_assert(std::is_same_v<T, bool>);
  if constexpr (N == 1) StoreRaw(p, static_cast<uint8_t>(m.v));
  else StoreRaw(p, m.template As<1>().v & 1);
}
// To bfloat16 by integer arithmetic: the instruction for it flushes denormals.
template <class T, class E, int N>
MILLRACE_INLINE void Store(T* p, Vec<E, N> x) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    using Words = Vec<uint32_t, N>;
    const Words u = Words::Of(__builtin_bit_cast(Raw<uint32_t, N>, x.v));
    const Words rounded = (u + Words(0x7fff) + ((u >> 16) & Words(1))) >> 16;
    const Words nan = (u >> 16) | Words(0x40);
    StoreRaw(p, Select(x == x, rounded, nan).template To<uint16_t>().v);
  } else if constexpr (std::is_same_v<T, Half>) {
    StoreRaw(p, ConvertRaw<_Float16, float, N>(x.v));
  } else {
    static_assert(std::is_same_v<T, E>);
    StoreRaw(p, x.v);
  }
}
template <class T, class E>
MILLRACE_INLINE void Store(T* p, Complex<E> x) {
  static_assert(std::is_same_v<T, std::complex<E>>);
  StoreRaw(p, x);
}

MILLRACE_ISA_NAMESPACE_END
