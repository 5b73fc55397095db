// exp and what is made of it: expm1, sinh, cosh, tanh, sigmoid.
#pragma once

#include "millrace/ops/expr/coefficients.h"
#include "millrace/ops/expr/numbers.h"

MILLRACE_ISA_NAMESPACE_BEGIN

// x = n part log(2) + r, of all of log(2) or a half.
template <FloatingScalar S, int kFactors>
struct ExpReduction {
  S r;
  Exponent<S, kFactors> n;
};
template <int kFactors, FloatingScalar S>
MILLRACE_INLINE ExpReduction<S, kFactors> TakeLogs(S x, double part) {
  const S shift = Shift<S, kFactors>(), t = Fma(x, Const<S>(0x1.71547652b82fep0 / part), shift), n = t - shift;
  // log(2) in two parts; the first has so few bits that the product is exact.
  const S near = Fma(n, Const<S>(-0x1.63p-1 * part, -0x1.62e42fefa38p-1 * part), x);
  return {Fma(n, Const<S>(0x1.bd0105c610ca8p-13 * part, -0x1.ef35793c7673p-45 * part), near), {Bits(t)}};
}

// x = n log(2) + r, and exp(r) - 1.
template <FloatingScalar S, int kFactors>
struct ExpSplit {
  S expm1;
  Exponent<S, kFactors> n;
};
template <int kFactors, FloatingScalar S, class C, size_t kTerms>
MILLRACE_INLINE ExpSplit<S, kFactors> SplitExp(S x, const C (&c)[kTerms]) {
  const auto [r, n] = TakeLogs<kFactors>(x, 1);
  return {Fma(r * r, Polynomial(r, c), r), n};
}
template <int kFactors, FloatingScalar S>
MILLRACE_INLINE ExpSplit<S, kFactors> SplitExp(S x) {
  if constexpr (kSingle<S>) return SplitExp<kFactors>(x, kExp32);
  else return SplitExp<kFactors>(x, kExp64);
}

// exp(x) = 2^n (1 + r + tail) to some bits more than S has; tail is at most a fifth
// of r. For x.high + x.low the part that the subtraction loses goes with x.low.
template <FloatingScalar S>
struct ExpParts {
  S r, tail;
  typename S::I n;
};
template <FloatingScalar S>
struct ExpReduced {
  Pair<S> r;
  typename S::I n;
};
template <FloatingScalar S>
MILLRACE_INLINE ExpReduced<S> ReduceExp(S x) {
  const S shift = Const<S>(0x1.8p23, 0x1.8p52);
  const S t = Fma(x, Const<S>(0x1.71547652b82fep0), shift), n = t - shift;
  const S log2_low = Const<S>(0x1.bd0105c610ca8p-13, -0x1.ef35793c7673p-45);
  const S near = Fma(n, Const<S>(-0x1.63p-1, -0x1.62e42fefa38p-1), x), r = Fma(n, log2_low, near);
  return {{r, Fma(n, log2_low, near - r)}, Bits(t) - Bits(shift)};
}
template <FloatingScalar S>
MILLRACE_INLINE ExpParts<S> ExpOfReduced(ExpReduced<S> x) {
  const S r = x.r.high;
  return {r, Fma(r * r, Polynomial(r, kExp32, kExp64), x.r.low), x.n};
}
template <FloatingScalar S>
MILLRACE_INLINE ExpParts<S> SplitExpParts(S x) {
  return ExpOfReduced(ReduceExp(x));
}
template <FloatingScalar S>
MILLRACE_INLINE ExpParts<S> SplitExpParts(Pair<S> x) {
  ExpReduced<S> e = ReduceExp(x.high);
  e.r = AddSmaller(e.r.high, e.r.low + x.low);  // so that what is left is as nothing beside 1
  return ExpOfReduced(e);
}
// 1 + r + tail.
template <FloatingScalar S>
MILLRACE_INLINE Pair<S> OnePlus(ExpParts<S> e) {
  const Pair<S> sum = AddSmaller(S(1), e.r);
  return {sum.high, sum.low + e.tail};
}

template <FloatingScalar S>
MILLRACE_INLINE S Exp(S x) {
  const auto e = SplitExp<2>(Max2(Const<S>(-104, -746), Min2(Const<S>(89, 710), x)));
  const TwoFactors<S> power = Factors(e.n);
  return Fma(e.expm1, power.first, power.first) * power.second;
}
// The same for an x <= 0, where one factor is enough: what is denormal counts as zero.
template <FloatingScalar S>
MILLRACE_INLINE S ExpDown(S x) {
  const auto e = SplitExp<1>(Max2(Const<S>(-87.6, -708.6), x));
  const S power = PowerOfTwo(e.n);
  return Fma(e.expm1, power, power);
}

template <FloatingScalar S>
MILLRACE_INLINE S Expm1(S x) {
  const S bounded = Max2(Const<S>(-30, -60), Min2(Const<S>(89, 710), x));
  const auto e = SplitExpParts(bounded);
  // 2^n (1 + r + tail) - 1, with 2^(n-1), which does not overflow; r + tail where
  // n is 0, since half of r may be denormal.
  const S scale = PowerOfTwo<S>(e.n - typename S::I(1));
  const Pair<S> sum = AddSmaller(scale - Const<S>(0.5), scale * e.r);
  const S half = sum.high + Fma(scale, e.tail, sum.low);
  return CopySign(Select(e.n == typename S::I(0), e.r + e.tail, half + half), x);
}

// (exp(a) + sign exp(-a)) / 2 for an a >= 0 that is bounded.
template <FloatingScalar S>
MILLRACE_INLINE S HalfExpSum(S a, S sign) {
  using I = typename S::I;
  const auto e = SplitExpParts(a);
  const Pair<S> one = OnePlus(e);
  const S down = PowerOfTwo<S>(-Min2(e.n, I(60)));
  const S y = one.high + Fma(sign, (down * down) / (one.high + one.low), one.low);
  const S half = y * PowerOfTwo<S>(e.n - I(2));
  return half + half;
}

template <FloatingScalar S>
MILLRACE_INLINE S Sinh(S x) {
  const S a = Abs(x), v = x * x;
  const S small = Fma(a * v, Polynomial(v, kSinh32, kSinh64), a);
  const S big = HalfExpSum(Min2(Const<S>(89.5, 710.5), a), S(-1));
  return CopySign(Select(a < S(1), small, big), x);
}

template <FloatingScalar S>
MILLRACE_INLINE S Cosh(S x) {
  return HalfExpSum(Min2(Const<S>(89.5, 710.5), Abs(x)), S(1));
}

// 1 - 2 / (exp(2a) + 1), and near zero, where that loses bits, a polynomial. Of
// a = n log(2) / 2 + r halves are computed: (exp(2r) - 1) / 2 and (exp(2a) + 1) / 2.
template <FloatingScalar S>
MILLRACE_INLINE S Tanh(S x) {
  const S a = Abs(x), v = a * a, small = Fma(a * v, Polynomial(v, kTanh32, kTanh64), a);
  const auto [r, n] = TakeLogs<1>(Min2(Const<S>(9.1, 20), a), 0.5);
  const S half = Fma(r * r, Polynomial(r, kExpTwice32, kExpTwice64), r);
  const S big = S(1) - S(1) / Fma(PowerOfTwo(n), half + Const<S>(0.5), Const<S>(0.5));
  return CopySign(Select(a < Const<S>(0.6), small, big), x);
}

// 1 / (1 + exp(-x)) with the rounding of the sum put back.
template <FloatingScalar S>
MILLRACE_INLINE S Sigmoid(S x) {
  const S e = ExpDown(-Abs(x)), d = e + S(1), lost = e - (d - S(1));
  const S numerator = Select(x < S(0), e, S(1)), r = S(1) / d, y = numerator * r;
  return Fma(Fma(-y, lost, Fma(-y, d, numerator)), r, y);
}

MILLRACE_ISA_NAMESPACE_END
