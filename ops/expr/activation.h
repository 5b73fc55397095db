// Activations that are more exact than the product or sum they stand for: their
// tails keep all bits where the factors have none left.
#pragma once

#include "millrace/ops/expr/exponential.h"
#include "millrace/ops/expr/logarithm.h"

MILLRACE_ISA_NAMESPACE_BEGIN

// log(1 + exp(x)).
template <FloatingScalar S>
MILLRACE_INLINE S Softplus(S x) {
  return Max2(S(0), x) + Log1pFinite(ExpDown(-Abs(x)));
}

// x / (1 + exp(-z)) of an x and a z of one sign, given 2^n m = exp(-|z|): x m is
// scaled and not m, which may be denormal where x m is not.
template <FloatingScalar S, class N>
MILLRACE_INLINE S TimesSigmoid(S x, S z, S m, N n) {
  const S e = Scale(m, n), d = e + S(1), lost = e - (d - S(1));
  const S numerator = Select(z < S(0), Scale(x * m, n), x), r = S(1) / d, y = numerator * r;
  return CopySign(Fma(Fma(-y, lost, Fma(-y, d, numerator)), r, y), x);
}

// x sigmoid(x).
template <FloatingScalar S>
MILLRACE_INLINE S Silu(S x) {
  const S bounded = Max2(Const<S>(-120, -800), x);
  const auto e = SplitExp<2>(Max2(Const<S>(-120, -800), -Abs(bounded)));
  return TimesSigmoid(bounded, x, e.expm1 + S(1), e.n);
}

// x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3)): gelu in its tanh form. The exponent
// is a pair, since its rounding error counts as often as it is large.
template <FloatingScalar S>
MILLRACE_INLINE S GeluTanh(S x) {
  const S bounded = Max2(Const<S>(-12.5, -25), x), a = Min2(Const<S>(12.5, 25), Abs(bounded));
  const Pair<S> cubic = {Const<S>(0x1.2444f2p-4, 0x1.2444f2a4d8b4bp-4),
                         Const<S>(0x1.49b16ap-29, -0x1.6c843a29d1c70p-61)};
  const Pair<S> term = Multiply(cubic, MultiplyExactly(a, a));
  Pair<S> factor = AddExactly(Const<S>(0x1.988454p+0, 0x1.9884533d43651p+0), term.high);
  factor.low = factor.low + (term.low + Const<S>(-0x1.857936p-25, -0x1.cbc0d30ebfd15p-54));
  const Pair<S> z = Multiply(Pair<S>{-a, S(0)}, factor);
  const auto e = SplitExpParts(z);
  const Pair<S> m = OnePlus(e);
  return TimesSigmoid(bounded, x, m.high + m.low, e.n);
}

MILLRACE_ISA_NAMESPACE_END
