// The scalar type that expressions are written over, and its SIMD form. An
// expression is a generic function of values S, of their integers S::I and of
// masks; it never branches on a value (Select and SelectRare instead), so that
// the same source can be run over vectors or recorded.
//
// Every rounding is spelled out: no contraction, Fma only where it is written.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "millrace/ops/expr/isa.h"
#include "millrace/ops/expr/lane_builtins.h"

MILLRACE_ISA_NAMESPACE_BEGIN

namespace internal {
template <int kBytes>
struct IntBySize;
template <>
struct IntBySize<1> {
  using Signed = int8_t;
  using Unsigned = uint8_t;
};
template <>
struct IntBySize<2> {
  using Signed = int16_t;
  using Unsigned = uint16_t;
};
template <>
struct IntBySize<4> {
  using Signed = int32_t;
  using Unsigned = uint32_t;
};
template <>
struct IntBySize<8> {
  using Signed = int64_t;
  using Unsigned = uint64_t;
};
#ifdef __clang__
template <class T, int N>
struct RawOf {
  using type = T __attribute__((ext_vector_type(N)));
};
#else
template <class T, int N>
struct RawOf;  // one lane only
#endif
template <class T>
struct RawOf<T, 1> {
  using type = T;
};
}  // namespace internal

// The signed and unsigned integers as wide as T.
template <class T>
using IntOf = typename internal::IntBySize<sizeof(T)>::Signed;
template <class T>
using UintOf = typename internal::IntBySize<sizeof(T)>::Unsigned;
// The compiler's vector of N elements; one element is the plain type.
template <class T, int N>
using Raw = typename internal::RawOf<T, N>::type;

template <class To, class T, int N>
MILLRACE_INLINE Raw<To, N> ConvertRaw(Raw<T, N> v) {
  if constexpr (N == 1) return static_cast<To>(v);
  else return __builtin_convertvector(v, Raw<To, N>);
}

// N truth values in lanes of B bytes, all ones or zero.
template <int B, int N>
struct Mask {
  using Lane = typename internal::IntBySize<B>::Signed;
  using R = std::conditional_t<N == 1, bool, Raw<Lane, N>>;
  static constexpr int kLanes = N;
  R v;

  friend MILLRACE_INLINE Mask operator&(Mask a, Mask b) { return {R(a.v & b.v)}; }
  friend MILLRACE_INLINE Mask operator|(Mask a, Mask b) { return {R(a.v | b.v)}; }
  friend MILLRACE_INLINE Mask operator^(Mask a, Mask b) { return {R(a.v ^ b.v)}; }
  friend MILLRACE_INLINE Mask operator==(Mask a, Mask b) { return !(a ^ b); }
  friend MILLRACE_INLINE Mask operator!=(Mask a, Mask b) { return a ^ b; }
  friend MILLRACE_INLINE Mask operator!(Mask a) {
    if constexpr (N == 1) return {!a.v};
    else return {~a.v};
  }
  friend MILLRACE_INLINE Mask Select(Mask m, Mask a, Mask b) { return (m & a) | (!m & b); }
  // The same truth in lanes of another width.
  template <int B2>
  MILLRACE_INLINE Mask<B2, N> As() const {
    if constexpr (N == 1 || B2 == B) return {v};
    else return {__builtin_convertvector(v, typename Mask<B2, N>::R)};
  }
  MILLRACE_INLINE bool Any() const {
    if constexpr (N == 1) return v;
    else return __builtin_reduce_or(v) != 0;
  }
};

// N elements of an arithmetic type. Integers wrap.
template <class T, int N>
struct Vec {
  using Elem = T;
  using R = Raw<T, N>;
  using M = Mask<sizeof(T), N>;
  using I = Vec<IntOf<T>, N>;
  static constexpr int kLanes = N;
  static constexpr bool kFloating = std::is_floating_point_v<T>;
  R v;

  Vec() = default;
  MILLRACE_INLINE explicit Vec(T c) : v((R)c) {}  // the cast of the vector extensions: c in every lane
  static MILLRACE_INLINE Vec Of(R r) {
    Vec x;
    x.v = r;
    return x;
  }

#define MILLRACE_ARITHMETIC(op)                          \
  friend MILLRACE_INLINE Vec operator op(Vec a, Vec b) { \
    if constexpr (kFloating) return Of(a.v op b.v);      \
    else return FromWord(a.Word() op b.Word());          \
  }
  MILLRACE_ARITHMETIC(+)
  MILLRACE_ARITHMETIC(-)
  MILLRACE_ARITHMETIC(*)
#undef MILLRACE_ARITHMETIC
  // Of floating-point types; see Quotient for integers.
  friend MILLRACE_INLINE Vec operator/(Vec a, Vec b)
    requires(kFloating)
  {
    return Of(a.v / b.v);
  }
  friend MILLRACE_INLINE Vec operator-(Vec a) {
    if constexpr (kFloating) return Of(-a.v);
    else return Vec(0) - a;
  }
  friend MILLRACE_INLINE Vec operator&(Vec a, Vec b)
    requires(!kFloating)
  {
    return Of(R(a.v & b.v));
  }
  friend MILLRACE_INLINE Vec operator|(Vec a, Vec b)
    requires(!kFloating)
  {
    return Of(R(a.v | b.v));
  }
  friend MILLRACE_INLINE Vec operator^(Vec a, Vec b)
    requires(!kFloating)
  {
    return Of(R(a.v ^ b.v));
  }
  friend MILLRACE_INLINE Vec operator~(Vec a)
    requires(!kFloating)
  {
    return Of(R(~a.v));
  }
  // The counts are in [0, width); >> keeps the sign of signed types.
  friend MILLRACE_INLINE Vec operator<<(Vec a, Vec n)
    requires(!kFloating)
  {
    return FromWord(a.Word() << n.Word());
  }
  friend MILLRACE_INLINE Vec operator>>(Vec a, Vec n)
    requires(!kFloating)
  {
    return Of(R(a.v >> n.v));
  }
  friend MILLRACE_INLINE Vec operator<<(Vec a, int n)
    requires(!kFloating)
  {
    return a << Vec(static_cast<T>(n));
  }
  friend MILLRACE_INLINE Vec operator>>(Vec a, int n)
    requires(!kFloating)
  {
    return a >> Vec(static_cast<T>(n));
  }

  friend MILLRACE_INLINE M operator<(Vec a, Vec b) { return {typename M::R(a.v < b.v)}; }
  friend MILLRACE_INLINE M operator<=(Vec a, Vec b) { return {typename M::R(a.v <= b.v)}; }
  friend MILLRACE_INLINE M operator>(Vec a, Vec b) { return {typename M::R(a.v > b.v)}; }
  friend MILLRACE_INLINE M operator>=(Vec a, Vec b) { return {typename M::R(a.v >= b.v)}; }
  friend MILLRACE_INLINE M operator==(Vec a, Vec b) { return {typename M::R(a.v == b.v)}; }
  friend MILLRACE_INLINE M operator!=(Vec a, Vec b) { return {typename M::R(a.v != b.v)}; }
  template <int B>
  friend MILLRACE_INLINE Vec Select(Mask<B, N> m, Vec a, Vec b) {
    return Of(m.template As<sizeof(T)>().v ? a.v : b.v);
  }

  // Of an integer: the truth of i != 0, for values as wide.
  friend MILLRACE_INLINE M Test(Vec i)
    requires(!kFloating)
  {
    return i != Vec(0);
  }

  // The bits of a floating-point value and back.
  friend MILLRACE_INLINE I Bits(Vec a)
    requires(kFloating)
  {
    return I::Of(__builtin_bit_cast(typename I::R, a.v));
  }
  static MILLRACE_INLINE Vec FromBits(I i) { return Of(__builtin_bit_cast(R, i.v)); }
  static MILLRACE_INLINE Vec FromInt(I i) { return Of(ConvertRaw<T, IntOf<T>, N>(i.v)); }

  friend MILLRACE_INLINE Vec Abs(Vec a) {
    if constexpr (kFloating) return Of(MILLRACE_LANE(abs, a.v));
    else return Select(a < Vec(0), -a, a);
  }
  friend MILLRACE_INLINE Vec Floor(Vec a)
    requires(kFloating)
  {
    return Of(MILLRACE_LANE(floor, a.v));
  }
  friend MILLRACE_INLINE Vec Ceil(Vec a)
    requires(kFloating)
  {
    return Of(MILLRACE_LANE(ceil, a.v));
  }
  friend MILLRACE_INLINE Vec Trunc(Vec a)
    requires(kFloating)
  {
    return Of(MILLRACE_LANE(trunc, a.v));
  }
  // To the nearest integer, ties to even.
  friend MILLRACE_INLINE Vec Rint(Vec a)
    requires(kFloating)
  {
    return Of(MILLRACE_LANE(roundeven, a.v));
  }
  friend MILLRACE_INLINE Vec Sqrt(Vec a)
    requires(kFloating)
  {
    return Of(MILLRACE_LANE(sqrt, a.v));
  }
  // The same number; a denormal becomes 0 where arithmetic flushes them.
  friend MILLRACE_INLINE Vec Canonical(Vec a)
    requires(kFloating)
  {
    return Of(MILLRACE_LANE(canonicalize, a.v));
  }
  friend MILLRACE_INLINE Vec Fma(Vec a, Vec b, Vec c)
    requires(kFloating)
  {
    return Of(MILLRACE_LANE(fma, a.v, b.v, c.v));
  }
  // One instruction each: the second operand where either is NaN.
  friend MILLRACE_INLINE Vec Min2(Vec a, Vec b) { return Select(a < b, a, b); }
  friend MILLRACE_INLINE Vec Max2(Vec a, Vec b) { return Select(a > b, a, b); }

  // a / b and its remainder, cut towards zero, for integers; 0 where b is 0 (the
  // kernel has checked), and wrapping for the one quotient that overflows.
  friend MILLRACE_INLINE Vec Quotient(Vec a, Vec b)
    requires(!kFloating)
  {
    return PerLane(a, b, [](T x, T y) {
      const bool odd = y == 0 || y == static_cast<T>(-1);  // -1 only matters for signed types
      const T q = static_cast<T>(x / (odd ? T(1) : y));
      if constexpr (std::is_signed_v<T>) return y == 0 ? T(0) : y == -1 ? Negated(x) : q;
      else return y == 0 ? T(0) : odd ? static_cast<T>(x == y) : q;
    });
  }
  friend MILLRACE_INLINE Vec Remainder(Vec a, Vec b)
    requires(!kFloating)
  {
    return a - Quotient(a, b) * b;
  }

  // f of each lane: for what has no vector form.
  template <class F>
  static MILLRACE_INLINE Vec PerLane(Vec a, F f) {
    if constexpr (N == 1) return Of(f(a.v));
    else {
      Vec r;
      for (int i = 0; i < N; ++i) r.v[i] = f(a.v[i]);
      return r;
    }
  }
  template <class F>
  static MILLRACE_INLINE Vec PerLane(Vec a, Vec b, F f) {
    if constexpr (N == 1) return Of(f(a.v, b.v));
    else {
      Vec r;
      for (int i = 0; i < N; ++i) r.v[i] = f(a.v[i], b.v[i]);
      return r;
    }
  }

  // Each element converted as the language does; the caller keeps floating-point
  // values in the range of an integer type.
  template <class U>
  MILLRACE_INLINE Vec<U, N> To() const {
    return Vec<U, N>::Of(ConvertRaw<U, T, N>(v));
  }

 private:
  // Integers as unsigned words, so that overflow is defined; a lone small integer
  // is widened past the promotion to int.
  using Unsigned = std::conditional_t<kFloating, int, UintOf<T>>;
  using WordElem = std::conditional_t<(N == 1 && sizeof(T) < 4), uint32_t, Unsigned>;
  MILLRACE_INLINE Raw<WordElem, N> Word() const {
    if constexpr (N == 1) return static_cast<WordElem>(v);
    else return __builtin_bit_cast(Raw<WordElem, N>, v);
  }
  static MILLRACE_INLINE Vec FromWord(Raw<WordElem, N> w) {
    if constexpr (N == 1) return Of(static_cast<T>(w));
    else return Of(__builtin_bit_cast(R, w));
  }
  static MILLRACE_INLINE T Negated(T x) { return static_cast<T>(UintOf<T>(0) - static_cast<UintOf<T>>(x)); }
};

// slow() in the lanes of the mask, `fast` in the others; not computed where no
// lane asks. For what few values need and is dear; slow() must give the same
// result for a lane whatever the others hold.
template <int B, class T, int N, class F>
MILLRACE_INLINE Vec<T, N> SelectRare(Mask<B, N> mask, F slow, Vec<T, N> fast) {
  if (!mask.Any()) [[likely]]
    return fast;
  return Select(mask, slow(), fast);
}

// What an expression may ask of a floating-point scalar type.
template <class S>
concept FloatingScalar = requires(S a, typename S::I i, typename S::M m) {
  S(typename S::Elem(1));
  { a + a } -> std::same_as<S>;
  { a / a } -> std::same_as<S>;
  { -a } -> std::same_as<S>;
  { Fma(a, a, a) } -> std::same_as<S>;
  { Select(m, a, a) } -> std::same_as<S>;
  { Bits(a) } -> std::same_as<typename S::I>;
  { S::FromBits(i) } -> std::same_as<S>;
  { a < a } -> std::same_as<typename S::M>;
};
static_assert(FloatingScalar<Vec<float, 1>> && FloatingScalar<Vec<double, 1>>);

MILLRACE_ISA_NAMESPACE_END
