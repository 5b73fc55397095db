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

// The type that elements of T are loaded and stored as.
namespace internal {
template <class T>
struct MemoryOf {
  using Type = T;
};
template <>
struct MemoryOf<bool> {
  using Type = int8_t;
};
template <>
struct MemoryOf<Half> {
  using Type = _Float16;
};
template <>
struct MemoryOf<BFloat16> {
  using Type = uint16_t;
};
}  // namespace internal
template <class T>
using Memory = typename internal::MemoryOf<T>::Type;

// A truth as the byte that it is in memory.
template <int B, int N>
MILLRACE_INLINE Vec<int8_t, N> TruthByte(Mask<B, N> m) {
  if constexpr (N == 1) return Vec<int8_t, N>::Of(static_cast<int8_t>(m.v));
  else return Vec<int8_t, N>::Of(m.template As<1>().v & 1);
}

// From what is in memory to what is computed with, and back.
template <class T, int N>
MILLRACE_INLINE auto FromMemory(Vec<Memory<T>, N> x) {
  if constexpr (std::is_same_v<T, bool>) {
    return x != Vec<int8_t, N>(int8_t{0});
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    return Vec<float, N>::FromBits((x.template To<uint32_t>() << 16).template To<int32_t>());
  } else if constexpr (std::is_same_v<T, Half>) {
    return x.template To<float>();
  } else {
    return x;
  }
}
template <class T, int B, int N>
MILLRACE_INLINE Vec<int8_t, N> ToMemory(Mask<B, N> m) {
  static_assert(std::is_same_v<T, bool>);
  return TruthByte(m);
}
// To bfloat16 by integer arithmetic: the instruction for it flushes denormals.
template <class T, class E, int N>
MILLRACE_INLINE Vec<Memory<T>, N> ToMemory(Vec<E, N> x) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    using Words = Vec<uint32_t, N>;
    const Words u = Bits(x).template To<uint32_t>();
    const Words rounded = (u + Words(0x7fff) + ((u >> 16) & Words(1))) >> 16;
    const Words nan = (u >> 16) | Words(0x40);
    return Select(x == x, rounded, nan).template To<uint16_t>();
  } else if constexpr (std::is_same_v<T, Half>) {
    return x.template To<_Float16>();
  } else {
    static_assert(std::is_same_v<T, E>);
    return x;
  }
}

template <class T, int N>
MILLRACE_INLINE auto Load(const T* p) {
  if constexpr (kIsComplex<T>) {
    static_assert(N == 1);
    return LoadRaw<Complex<typename T::value_type>>(p);
  } else {
    return FromMemory<T>(Vec<Memory<T>, N>::Of(LoadRaw<Raw<Memory<T>, N>>(p)));
  }
}

template <class R, class T>
MILLRACE_INLINE void StoreRaw(T* p, R r) {
  std::memcpy(static_cast<void*>(p), &r, sizeof r);
}
template <class T, int B, int N>
MILLRACE_INLINE void Store(T* p, Mask<B, N> m) {
  StoreRaw(p, ToMemory<T>(m).v);
}
template <class T, class E, int N>
MILLRACE_INLINE void Store(T* p, Vec<E, N> x) {
  StoreRaw(p, ToMemory<T>(x).v);
}
template <class T, class E>
MILLRACE_INLINE void Store(T* p, Complex<E> x) {
  static_assert(std::is_same_v<T, std::complex<E>>);
  StoreRaw(p, x);
}

MILLRACE_ISA_NAMESPACE_END
