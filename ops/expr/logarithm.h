// log and what is made of it: log1p, asinh, acosh, atanh.
#pragma once

#include "millrace/ops/expr/exponential.h"

MILLRACE_ISA_NAMESPACE_BEGIN

// u = 2^n (1 + f) with f in [-1/3, 1/3], exactly, for a normal u > 0.
template <FloatingScalar S>
struct LogSplit {
  S f, n;
};
template <FloatingScalar S>
MILLRACE_INLINE LogSplit<S> SplitLog(S u) {
  using I = typename S::I;
  using Word = typename I::Elem;
  constexpr Word kTwoThirds = kSingle<S> ? static_cast<Word>(0x3f2aaaab) : static_cast<Word>(0x3fe5555555555555);
  constexpr int kMantissa = kSingle<S> ? 23 : 52;
  const I shifted = Bits(u) - I(kTwoThirds), exponent = shifted >> kMantissa;
  const S f = S::FromBits((shifted & I((Word(1) << kMantissa) - 1)) + I(kTwoThirds)) - S(1);
  return {f, SmallToFloat<S>(exponent)};
}

// log(2^n (1 + f)) + more, where `more` is small beside f or n.
template <FloatingScalar S>
MILLRACE_INLINE S LogOf(LogSplit<S> u, S more) {
  const S f = u.f;
  if constexpr (kSingle<S>) {
    return Fma(u.n, Const<S>(0x1.62e42fefa39efp-1), f + Fma(f * f, Polynomial(f, kLog32), more));
  } else {
    // log(1 + f) = f - (f^2/2 - s (f^2/2 + 2 (atanh(s) - s)/s)) with s = f / (2 + f)
    const S s = f / (f + S(2)), v = s * s, h = Const<S>(0.5) * f * f, tail = v * Polynomial(v, kLogTail64);
    const S low = Fma(s, h + tail + tail, Fma(u.n, Const<S>(0x1.ef35793c7673p-45), more));
    return Fma(u.n, Const<S>(0x1.62e42fefa38p-1), f - (h - low));
  }
}
template <FloatingScalar S>
MILLRACE_INLINE S LogOf(LogSplit<S> u) {
  if constexpr (kSingle<S>)
    return Fma(u.n, Const<S>(0x1.62e42fefa39efp-1), Fma(u.f * u.f, Polynomial(u.f, kLog32), u.f));
  else return LogOf(u, S(0));
}

template <FloatingScalar S>
MILLRACE_INLINE S Log(S x) {
  using I = typename S::I;
  const auto tiny = x < SmallestNormal<S>();
  const S scaled = Select(tiny, x * Const<S>(0x1p23, 0x1p52), x);
  LogSplit<S> split = SplitLog(scaled);
  split.n = split.n - Select(tiny, Const<S>(23, 52), S(0));
  S y = LogOf(split);
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

// log(1 + x) for -1 < x < infinity.
template <FloatingScalar S>
MILLRACE_INLINE S Log1pFinite(S x) {
  const S u = x + S(1), lost = x - (u - S(1));
  return LogOf(SplitLog(u), lost / u);
}

template <FloatingScalar S>
MILLRACE_INLINE S Log1p(S x) {
  S y = CopySign(Log1pFinite(x), x);
  y = Select(x < Infinity<S>(), y, x);
  return Select(x <= S(-1), Select(x == S(-1), -Infinity<S>(), NotANumber<S>()), y);
}

// log(a + root) where root = sqrt(square.high + square.low) <= a + 1 or so, of
// numbers whose squares do not overflow.
template <FloatingScalar S>
MILLRACE_INLINE Pair<S> SumWithRoot(S a, Pair<S> square) {
  const S root = Sqrt(square.high), twice = root + root;
  const S lost = Fma(-root, root, square.high) + square.low;  // of the root, times `twice`
  const Pair<S> u = AddExactly(a, root);
  return {u.high, Fma(u.low, twice, lost) / Max2(SmallestNormal<S>(), twice * u.high)};
}

template <FloatingScalar S>
MILLRACE_INLINE S Asinh(S x) {
  const S a = Abs(x), v = x * x;
  const S small = Fma(a * v, Polynomial(v, kAsinh32, kAsinh64), a);
  const Pair<S> p = MultiplyExactly(a, a), square = AddExactly(p.high, S(1));
  const Pair<S> u = SumWithRoot(a, Pair<S>{square.high, square.low + p.low});
  // Far out it is log(2 a).
  const auto far = a > Const<S>(0x1p60, 0x1p500);
  LogSplit<S> split = SplitLog(Select(far, a, u.high));
  split.n = split.n + Select(far, S(1), S(0));
  const S big = Select(a < Infinity<S>(), LogOf(split, Select(far, S(0), u.low)), a);
  return CopySign(Select(a < Const<S>(0.5), small, big), x);
}

template <FloatingScalar S>
MILLRACE_INLINE S Acosh(S x) {
  const Pair<S> p = MultiplyExactly(x, x), square = AddSmaller(p.high, S(-1));
  const Pair<S> u = SumWithRoot(x, Pair<S>{square.high, square.low + p.low});
  const auto far = x > Const<S>(0x1p60, 0x1p500);
  LogSplit<S> split = SplitLog(Select(far, x, u.high));
  split.n = split.n + Select(far, S(1), S(0));
  const S y = LogOf(split, Select(far, S(0), u.low));
  return Select(x < S(1), NotANumber<S>(), Select(x < Infinity<S>(), y, x));
}

template <FloatingScalar S>
MILLRACE_INLINE S Atanh(S x) {
  const S a = Abs(x), v = x * x;
  const S small = Fma(a * v, Polynomial(v, kAtanh32, kAtanh64), a);
  // log((1 + a) / (1 - a)) / 2
  const Pair<S> numerator = AddSmaller(S(1), a);
  const S denominator = S(1) - a, u = numerator.high / denominator;
  const S lost = (Fma(-u, denominator, numerator.high) + numerator.low) / numerator.high;
  const S big = Const<S>(0.5) * LogOf(SplitLog(u), lost);
  const S edge = Select(a == S(1), Infinity<S>(), Select(a > S(1), NotANumber<S>(), big));
  return CopySign(Select(a < Const<S>(0.5), small, edge), x);
}

MILLRACE_ISA_NAMESPACE_END
