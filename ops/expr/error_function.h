// erf and erfc.
#pragma once

#include "millrace/ops/expr/exponential.h"

MILLRACE_ISA_NAMESPACE_BEGIN

// erfc(a) for a >= 0.5: exp(-a^2) / (1 + 2a) times a polynomial, all in pairs.
template <FloatingScalar S>
MILLRACE_INLINE S ErfcTail(S a) {
  a = Min2(Const<S>(10.2, 27.3), a);
  const Pair<S> square = MultiplyExactly(a, a);
  const auto e = SplitExpParts(Pair<S>{-square.high, -square.low});
  const S center = Const<S>(2, 4), t = (a - center) / (a + center);
  const Pair<S> p = AddSmaller(Const<S>(kErfcx32Center, kErfcx64Center), t * Polynomial(t, kErfcx32, kErfcx64));
  const Pair<S> d = AddSmaller(a + a, S(1));
  const S inverse = S(1) / d.high, q = p.high * inverse;
  const S lost = Fma(-q, d.low, Fma(-q, d.high, p.high) + p.low) * inverse;
  const Pair<S> y = Multiply(Pair<S>{q, lost}, OnePlus(e));
  return Scale(y.high + y.low, e.n);
}

// (erf(x) - x) / x for |x| <= 0.92.
template <FloatingScalar S>
MILLRACE_INLINE S ErfNearZero(S x) {
  return Polynomial(x * x, kErf32, kErf64);
}

template <FloatingScalar S>
MILLRACE_INLINE S Erf(S x) {
  const S a = Abs(x), small = Fma(a, ErfNearZero(x), a);
  if constexpr (kSingle<S>) {
    const S t = Min2(Const<S>(4), a);
    const auto e = SplitExp<1>(-(t * Polynomial(t, kErfc32)));
    const S scale = PowerOfTwo(e.n), big = S(1) - Fma(scale, e.expm1, scale);
    return CopySign(Select(a < Const<S>(0.92), small, big), x);
  } else {
    const S y = CopySign(Select(a < Const<S>(0.92), small, S(1) - ErfcTail(a)), x);
    // The reference's has no value where the square overflows.
    return Select(x * x < Infinity<S>(), y, NotANumber<S>());
  }
}

template <FloatingScalar S>
MILLRACE_INLINE S Erfc(S x) {
  const S a = Abs(x);
  const Pair<S> near = AddSmaller(S(1), -x);
  const S small = near.high + Fma(-x, ErfNearZero(x), near.low);
  const S tail = ErfcTail(a);
  return Select(a < Const<S>(0.5), small, Select(x < S(0), S(2) - tail, tail));
}

MILLRACE_ISA_NAMESPACE_END
