// What the elementary functions are made of: constants, polynomials, signs,
// powers of two, and sums and products with the part that rounding loses.
//
// Min2 and Max2 return their second operand where either is NaN, so with the
// bound first they let a NaN through.
#pragma once

#include <limits>

#include "millrace/ops/expr/scalar.h"

MILLRACE_ISA_NAMESPACE_BEGIN

template <class S>
inline constexpr bool kSingle = sizeof(typename S::Elem) == 4;
// The constant for S: one value for float, one for double.
template <class S>
MILLRACE_INLINE S Const(double c) {
  return S(static_cast<typename S::Elem>(c));
}
template <class S>
MILLRACE_INLINE S Const(double single, double twice) {
  return Const<S>(kSingle<S> ? single : twice);
}
// Limits are read into constants: no call of the standard library is left in the code.
template <class S>
MILLRACE_INLINE S Infinity() {
  constexpr typename S::Elem kInfinity = std::numeric_limits<typename S::Elem>::infinity();
  return S(kInfinity);
}
template <class S>
MILLRACE_INLINE S NotANumber() {
  constexpr typename S::Elem kNan = std::numeric_limits<typename S::Elem>::quiet_NaN();
  return S(kNan);
}
template <class S>
MILLRACE_INLINE S SmallestNormal() {
  constexpr typename S::Elem kSmallest = std::numeric_limits<typename S::Elem>::min();
  return S(kSmallest);
}

template <FloatingScalar S, class C, size_t kTerms>
MILLRACE_INLINE S Polynomial(S x, const C (&c)[kTerms]) {
  S p = Const<S>(c[kTerms - 1]);
  for (int i = static_cast<int>(kTerms) - 2; i >= 0; --i) p = Fma(p, x, Const<S>(c[i]));
  return p;
}
// With the coefficients for float or those for double.
template <FloatingScalar S, size_t kSingleTerms, size_t kDoubleTerms>
MILLRACE_INLINE S Polynomial(S x, const float (&single)[kSingleTerms], const double (&twice)[kDoubleTerms]) {
  if constexpr (kSingle<S>) return Polynomial(x, single);
  else return Polynomial(x, twice);
}

template <FloatingScalar S>
MILLRACE_INLINE typename S::I SignBit() {
  constexpr typename S::I::Elem kSign = std::numeric_limits<typename S::I::Elem>::min();
  return typename S::I(kSign);
}
// `magnitude` with the sign of `sign`; it is not negative itself where that is positive.
template <FloatingScalar S>
MILLRACE_INLINE S CopySign(S magnitude, S sign) {
  return S::FromBits(Bits(magnitude) | (Bits(sign) & SignBit<S>()));
}
// The number in the type of x.
template <class T, int N>
MILLRACE_INLINE Vec<T, N> Zero(Vec<T, N>) {
  return Vec<T, N>(T(0));
}
template <class T, int N>
MILLRACE_INLINE Vec<T, N> One(Vec<T, N>) {
  return Vec<T, N>(T(1));
}
// Of a real number, itself.
template <class T, int N>
MILLRACE_INLINE Vec<T, N> Conj(Vec<T, N> x) {
  return x;
}
// A NaN in either operand is the result; denormals are flushed as arithmetic does.
template <class T, int N>
MILLRACE_INLINE Vec<T, N> Maximum(Vec<T, N> x, Vec<T, N> y) {
  if constexpr (Vec<T, N>::kFloating) return Canonical(Select(x != x, x, Max2(x, y)));
  else return Max2(x, y);
}
template <class T, int N>
MILLRACE_INLINE Vec<T, N> Minimum(Vec<T, N> x, Vec<T, N> y) {
  if constexpr (Vec<T, N>::kFloating) return Canonical(Select(x != x, x, Min2(x, y)));
  else return Min2(x, y);
}
template <FloatingScalar S>
MILLRACE_INLINE auto IsNan(S x) {
  return x != x;
}
template <FloatingScalar S>
MILLRACE_INLINE auto IsInf(S x) {
  return Abs(x) == Infinity<S>();
}
template <FloatingScalar S>
MILLRACE_INLINE auto IsFinite(S x) {
  return Abs(x) < Infinity<S>();
}

// 2^n for an n whose power is a normal number.
template <FloatingScalar S>
MILLRACE_INLINE S PowerOfTwo(typename S::I n) {
  using I = typename S::I;
  return S::FromBits(kSingle<S> ? (n + I(127)) << 23 : (n + I(1023)) << (kSingle<S> ? 0 : 52));
}
// y 2^n in two factors, so that neither overflows and the result is rounded once.
template <FloatingScalar S>
MILLRACE_INLINE S Scale(S y, typename S::I n) {
  const auto half = n >> 1;
  return (y * PowerOfTwo<S>(half)) * PowerOfTwo<S>(n - half);
}

// An integer n as it comes out of a sum, x + Shift<S, kFactors>(): in the low bits,
// with the exponents' bias added for each of so many factors. Powers of two are
// made of it by shifting it to where exponents are.
template <FloatingScalar S, int kFactors>
struct Exponent {
  typename S::I bits;
};
// Adding it leaves the nearest integer in the low bits.
template <FloatingScalar S, int kFactors>
MILLRACE_INLINE S Shift() {
  return Const<S>(0x1.8p23 + 127 * kFactors, 0x1.8p52 + 1023 * kFactors);
}
// 2^n where that is a normal number.
template <FloatingScalar S>
MILLRACE_INLINE S PowerOfTwo(Exponent<S, 1> n) {
  return S::FromBits(n.bits << (kSingle<S> ? 23 : 52));
}
// 2^n as a product of normal numbers, for every n of a result that is not 0 or infinite.
template <FloatingScalar S>
struct TwoFactors {
  S first, second;
};
template <FloatingScalar S>
MILLRACE_INLINE TwoFactors<S> Factors(Exponent<S, 2> n) {
  constexpr int kPlace = kSingle<S> ? 23 : 52;
  const auto first = (n.bits << (kPlace - 1)) & Bits(Infinity<S>());
  return {S::FromBits(first), S::FromBits((n.bits << kPlace) - first)};
}
template <FloatingScalar S>
MILLRACE_INLINE S Scale(S y, Exponent<S, 2> n) {
  const TwoFactors<S> power = Factors(n);
  return (y * power.first) * power.second;
}
// A small integer as S. There is no conversion of 64-bit integers before AVX-512.
template <FloatingScalar S>
MILLRACE_INLINE S SmallToFloat(typename S::I i) {
  if constexpr (kSingle<S>) return S::FromInt(i);
  else return S::FromBits(i + typename S::I(0x4338000000000000)) - S(0x1.8p52);
}

// The sum of two numbers, the second of which is far smaller.
template <FloatingScalar S>
struct Pair {
  S high, low;
};
// a + b, exactly, where |a| >= |b| or a is 0.
template <FloatingScalar S>
MILLRACE_INLINE Pair<S> AddSmaller(S a, S b) {
  const S sum = a + b;
  return {sum, b - (sum - a)};
}
// a + b, exactly.
template <FloatingScalar S>
MILLRACE_INLINE Pair<S> AddExactly(S a, S b) {
  const S sum = a + b, other = sum - a;
  return {sum, (a - (sum - other)) + (b - other)};
}
// a b, exactly (but for what is too small for a normal number).
template <FloatingScalar S>
MILLRACE_INLINE Pair<S> MultiplyExactly(S a, S b) {
  const S product = a * b;
  return {product, Fma(a, b, -product)};
}
template <FloatingScalar S>
MILLRACE_INLINE Pair<S> Multiply(Pair<S> a, Pair<S> b) {
  const Pair<S> p = MultiplyExactly(a.high, b.high);
  return {p.high, p.low + Fma(a.high, b.low, a.low * b.high)};
}

MILLRACE_ISA_NAMESPACE_END
