// Elementary functions, written once over the scalar types. Float and double go
// through polynomials of our own, so the bits are the same for every instruction
// set; the errors stand in README.md. Arguments that are not finite, zeros and
// values that overflow give what C's functions give.
//
// Min2 and Max2 return their second operand where either is NaN, so with the
// bound first they let a NaN through.
#pragma once

#include <math.h>

#include <limits>

#include "millrace/ops/expr/coefficients.h"
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

template <FloatingScalar S, class C, size_t kTerms>
MILLRACE_INLINE S Polynomial(S x, const C (&c)[kTerms]) {
  S p = Const<S>(c[kTerms - 1]);
  for (int i = static_cast<int>(kTerms) - 2; i >= 0; --i) p = Fma(p, x, Const<S>(c[i]));
  return p;
}

template <FloatingScalar S>
MILLRACE_INLINE typename S::I SignBit() {
  constexpr typename S::I::Elem kSign = std::numeric_limits<typename S::I::Elem>::min();
  return typename S::I(kSign);
}
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
// A small integer as S. There is no conversion of 64-bit integers before AVX-512.
template <FloatingScalar S>
MILLRACE_INLINE S SmallToFloat(typename S::I i) {
  if constexpr (kSingle<S>) return S::FromInt(i);
  else return S::FromBits(i + typename S::I(0x4338000000000000)) - S(0x1.8p52);
}

// x = n log(2) + r, and exp(r) - 1.
template <FloatingScalar S>
struct ExpSplit {
  S expm1;
  typename S::I n;
};
template <FloatingScalar S, class C, size_t kTerms>
MILLRACE_INLINE ExpSplit<S> SplitExp(S x, const C (&c)[kTerms]) {
  const S shift = Const<S>(0x1.8p23, 0x1.8p52);  // adding it leaves the nearest integer in the low bits
  const S t = Fma(x, Const<S>(0x1.71547652b82fep0), shift), n = t - shift;
  // log(2) in two parts; the first has so few bits that the product is exact.
  S r = Fma(n, Const<S>(-0x1.63p-1, -0x1.62e42fefa38p-1), x);
  r = Fma(n, Const<S>(0x1.bd0105c610ca8p-13, -0x1.ef35793c7673p-45), r);
  return {Fma(r * r, Polynomial(r, c), r), Bits(t) - Bits(shift)};
}
template <FloatingScalar S>
MILLRACE_INLINE ExpSplit<S> SplitExp(S x) {
  if constexpr (kSingle<S>) return SplitExp(x, kExp32);
  else return SplitExp(x, kExp64);
}

template <FloatingScalar S>
MILLRACE_INLINE S Exp(S x) {
  x = Max2(Const<S>(-104, -746), Min2(Const<S>(89, 710), x));
  const auto e = SplitExp(x);
  // Two factors, so that neither overflows and the result is rounded once.
  const auto half = e.n >> 1;
  return ((e.expm1 + S(1)) * PowerOfTwo<S>(half)) * PowerOfTwo<S>(e.n - half);
}

template <FloatingScalar S>
MILLRACE_INLINE S Expm1(S x) {
  x = Max2(Const<S>(-30, -60), Min2(Const<S>(89, 710), x));
  const auto e = SplitExp(x);
  // 2^n (expm1 + 1) - 1 with 2^(n-1), which does not overflow.
  const S scale = PowerOfTwo<S>(e.n - typename S::I(1));
  const S y = Fma(scale, e.expm1, scale - Const<S>(0.5));
  return Select(e.n == typename S::I(0), e.expm1, y + y);
}

template <FloatingScalar S>
MILLRACE_INLINE S Log(S x) {
  using E = typename S::Elem;
  using I = typename S::I;
  using Word = typename I::Elem;
  constexpr Word kTwoThirds = kSingle<S> ? static_cast<Word>(0x3f2aaaab) : static_cast<Word>(0x3fe5555555555555);
  constexpr int kMantissa = kSingle<S> ? 23 : 52;
  constexpr E kSmallestNormal = std::numeric_limits<E>::min();
  const auto tiny = x < S(kSmallestNormal);
  const S scaled = Select(tiny, x * Const<S>(0x1p23, 0x1p52), x);
  const I shifted = Bits(scaled) - I(kTwoThirds), exponent = shifted >> kMantissa;
  const S f = S::FromBits((shifted & I((Word(1) << kMantissa) - 1)) + I(kTwoThirds)) - S(1);  // in [-1/3, 1/3]
  const S n = SmallToFloat<S>(exponent) - Select(tiny, Const<S>(kMantissa), S(0));
  S y;
  if constexpr (kSingle<S>) {
    y = Fma(n, Const<S>(0x1.62e42fefa39efp-1), Fma(f * f, Polynomial(f, kLog32), f));
  } else {
    // log(1 + f) = f - (f^2/2 - s (f^2/2 + 2 (atanh(s) - s)/s)) with s = f / (2 + f)
    const S s = f / (f + S(2)), v = s * s, h = Const<S>(0.5) * f * f, tail = v * Polynomial(v, kAtanh64);
    const S low = Fma(s, h + tail + tail, n * Const<S>(0x1.ef35793c7673p-45));
    y = Fma(n, Const<S>(0x1.62e42fefa38p-1), f - (h - low));
  }
  y = Select(x < Infinity<S>(), y, x);  // infinity and NaN are their own logarithms
  S at_zero = -Infinity<S>();
  if constexpr (kSingle<S>) {
    // A denormal that counts as zero: what the reference gives, log(2^-150) or
    // NaN. Asked of the bits by their order: the compiler takes questions whether
    // they are zero, or whether x is, for the same.
    const I bits = Bits(x);
    at_zero = Select(bits > SignBit<S>(), Select(bits < I(0), NotANumber<S>(), at_zero), at_zero);
    at_zero = Select(bits > I(0), Const<S>(-103.97208), at_zero);
  }
  return Select(x <= S(0), Select(scaled == S(0), at_zero, NotANumber<S>()), y);
}

template <FloatingScalar S>
MILLRACE_INLINE S Log1p(S x) {
  // What 1 + x loses is put back with the derivative of log.
  const S u = x + S(1), lost = x - (u - S(1));
  return Log(u) + Select((u > S(0)) & (u < Infinity<S>()), lost / u, S(0));
}

template <FloatingScalar S>
MILLRACE_INLINE S Tanh(S x) {
  const S a = Abs(x), u = Min2(Const<S>(9.1, 20), a), v = a * a;
  const auto e = SplitExp(u + u);
  const S scale = PowerOfTwo<S>(e.n), big = S(1) - S(2) / (Fma(scale, e.expm1, scale) + S(1));
  S p;
  if constexpr (kSingle<S>) p = Polynomial(v, kTanh32);
  else p = Polynomial(v, kTanh64);
  const S y = Select(a < Const<S>(0.6), Fma(x * v, p, x), CopySign(big, x));
  return Select(x == x, y, x);
}

// 1 / (1 + exp(-x)) with the rounding of the sum put back.
template <FloatingScalar S>
MILLRACE_INLINE S Sigmoid(S x) {
  const S e = Exp(-Abs(x)), d = e + S(1), lost = e - (d - S(1));
  const S numerator = Select(x < S(0), e, S(1)), r = S(1) / d, y = numerator * r;
  return Fma(Fma(-y, lost, Fma(-y, d, numerator)), r, y);
}

// log(1 + exp(x)).
template <FloatingScalar S>
MILLRACE_INLINE S Softplus(S x) {
  const S e = Exp(-Abs(x)), u = e + S(1), lost = e - (u - S(1));
  return Max2(S(0), x) + (Log(u) + lost / u);
}

template <FloatingScalar S>
MILLRACE_INLINE S Erf(S x) {
  if constexpr (kSingle<S>) {
    const S a = Abs(x), v = x * x, t = Min2(Const<S>(4), a);
    const S small = Fma(x, Polynomial(v, kErf32), x);
    const auto e = SplitExp(-(t * Polynomial(t, kErfc32)));
    const S scale = PowerOfTwo<S>(e.n), big = S(1) - Fma(scale, e.expm1, scale);
    return Select(a < Const<S>(0.92), small, CopySign(big, x));
  } else {
    // The reference's has no value where the square overflows.
    return Select(x * x < Infinity<S>(), S::PerLane(x, [](double v) { return ::erf(v); }), NotANumber<S>());
  }
}

template <FloatingScalar S>
MILLRACE_INLINE S Rsqrt(S x) {
  return S(1) / Sqrt(x);
}

// sin(x + quarter * pi/2). Beyond 1e5 the reduction in three parts loses bits:
// those lanes take C's function.
template <FloatingScalar S>
MILLRACE_INLINE S SinOfQuarter(S x, int quarter) {
  if constexpr (kSingle<S>) {
    using I = typename S::I;
    const S shift = Const<S>(0x1.8p23), t = Fma(x, Const<S>(0x1.45f306dc9c883p-1), shift), n = t - shift;
    S r = Fma(n, Const<S>(-0x1.921fb6p+0), x);
    r = Fma(n, Const<S>(0x1.777a5cp-25), r);
    r = Fma(n, Const<S>(0x1.ee59dap-50), r);
    const I q = Bits(t) + I(quarter);
    const S v = r * r;
    const S sine = Fma(r * v, Polynomial(v, kSin32), r);
    const S cosine = Fma(v, Fma(v, Polynomial(v, kCos32), Const<S>(-0.5)), S(1));
    const S y = Select(Test(q & I(1)), cosine, sine);
    const S result = S::FromBits(Bits(y) ^ ((q & I(2)) << 30));
    const auto far = !(Abs(x) <= Const<S>(1e5));
    if (!far.Any()) [[likely]]
      return result;
    return Select(far, S::PerLane(x, [quarter](float f) { return quarter ? ::cosf(f) : ::sinf(f); }), result);
  } else {
    return S::PerLane(x, [quarter](double f) { return quarter ? ::cos(f) : ::sin(f); });
  }
}
template <FloatingScalar S>
MILLRACE_INLINE S Sin(S x) {
  return SinOfQuarter(x, 0);
}
template <FloatingScalar S>
MILLRACE_INLINE S Cos(S x) {
  return SinOfQuarter(x, 1);
}

template <FloatingScalar S>
MILLRACE_INLINE S Pow(S x, S y) {
  if constexpr (kSingle<S>) {
    // The core in double lanes: exp(y log|x|).
    using D = Vec<double, S::kLanes>;
    using I = typename D::I;
    constexpr int64_t kTwoThirds = 0x3fe5555555555555;
    const S a = Abs(x);
    const D w = a.template To<double>();
    const I shifted = Bits(w) - I(kTwoThirds), exponent = shifted >> 52;
    const D f = D::FromBits((shifted & I((int64_t{1} << 52) - 1)) + I(kTwoThirds)) - D(1);
    const D s = f / (f + D(2)), v = s * s, atanh = Fma(s * v, Polynomial(v, kPowLog), s);
    const D log = Fma(SmallToFloat<D>(exponent), D(0x1.62e42fefa39efp-1), atanh + atanh);
    const D product = Max2(D(-151), Min2(D(129), y.template To<double>() * log));
    const auto e = SplitExp(product, kPowExp);
    const D scale = PowerOfTwo<D>(e.n);
    S r = Fma(scale, e.expm1, scale).template To<float>();
    // Zero and infinity: the sign of y decides.
    const auto zero = a == S(0), infinite = a == Infinity<S>();
    r = Select(zero | infinite, Select(Select(zero, -y, y) < S(0), S(0), Infinity<S>()), r);
    // A negative base: odd powers are negative, broken ones are not numbers.
    const S h = y * Const<S>(0.5);
    const auto whole = Rint(y) == y, even = Rint(h) == h;
    const S broken = Select(zero | infinite, r, NotANumber<S>());
    r = Select(Test(Bits(x) & SignBit<S>()), Select(whole, Select(even, r, -r), broken), r);
    // An infinite exponent.
    const auto inside = a < S(1);
    const S up = Select(inside, S(0), Infinity<S>()), down = Select(inside, Infinity<S>(), S(0));
    r = Select(Abs(y) == Infinity<S>(), Select(a == S(1), S(1), Select(y < S(0), down, up)), r);
    r = Select(x == x, Select(y == y, r, y), x);
    return Select((y == S(0)) | (x == S(1)), S(1), r);
  } else {
    return S::PerLane(x, y, [](double a, double b) { return ::pow(a, b); });
  }
}

MILLRACE_ISA_NAMESPACE_END
