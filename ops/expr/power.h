// Powers and inverse roots.
#pragma once

#include "millrace/ops/expr/exponential.h"

MILLRACE_ISA_NAMESPACE_BEGIN

template <FloatingScalar S>
MILLRACE_INLINE S Rsqrt(S x) {
  return S(1) / Sqrt(x);
}

// |x|^y for floats, nearly rounded exactly: exp(y log|x|) in double lanes.
template <FloatingScalar S>
MILLRACE_INLINE S PowOfSize(S a, S y)
  requires kSingle<S>
{
  using D = Vec<double, S::kLanes>;
  using I = typename D::I;
  constexpr int64_t kTwoThirds = 0x3fe5555555555555;
  const D w = a.template To<double>();
  const I shifted = Bits(w) - I(kTwoThirds), exponent = shifted >> 52;
  const D f = D::FromBits((shifted & I((int64_t{1} << 52) - 1)) + I(kTwoThirds)) - D(1);
  const D s = f / (f + D(2)), v = s * s, atanh = Fma(s * v, Polynomial(v, kPowLog), s);
  const D log = Fma(SmallToFloat<D>(exponent), D(0x1.62e42fefa39efp-1), atanh + atanh);
  const D product = Max2(D(-151), Min2(D(129), y.template To<double>() * log));
  const auto e = SplitExp<1>(product, kPowExp);
  const D scale = PowerOfTwo(e.n);
  return Fma(scale, e.expm1, scale).template To<float>();
}
// For doubles, with the logarithm to 65 bits in pairs.
template <FloatingScalar S>
MILLRACE_INLINE S PowOfSize(S a, S y)
  requires(!kSingle<S>)
{
  using I = typename S::I;
  constexpr int64_t kRootHalf = 0x3fe6a09e667f3bcd;
  const auto tiny = a < SmallestNormal<S>();
  const I shifted = Bits(Select(tiny, a * S(0x1p52), a)) - I(kRootHalf);
  const S n = SmallToFloat<S>(shifted >> 52) - Select(tiny, S(52), S(0));
  const S f = S::FromBits((shifted & I((int64_t{1} << 52) - 1)) + I(kRootHalf)) - S(1);
  // log(1 + f) = 2 atanh(s), s = f / (2 + f)
  const Pair<S> d = AddSmaller(S(2), f);
  const S inverse = S(1) / d.high, q = f * inverse;
  const Pair<S> s = {q, Fma(-q, d.low, Fma(-q, d.high, f)) * inverse};
  const Pair<S> v = Multiply(s, s);
  // atanh(s) = s + s v (1/3 + v ...)
  Pair<S> third = AddSmaller(S(0x1.5555555555555p-2), v.high * Polynomial(v.high, kPowLog64));
  third.low = third.low + S(0x1.5555555555555p-56);
  const Pair<S> cube = Multiply(s, Multiply(v, third));
  Pair<S> atanh = AddSmaller(s.high, cube.high);
  atanh.low = atanh.low + (s.low + cube.low);
  Pair<S> log = AddSmaller(n * S(0x1.62e42fefa38p-1), atanh.high + atanh.high);
  log.low = log.low + Fma(n, S(0x1.ef35793c7673p-45), atanh.low + atanh.low);
  Pair<S> product = MultiplyExactly(y, log.high);
  product.low = Select(Abs(product.high) < S(1000), Fma(y, log.low, product.low), S(0));
  product.high = Max2(S(-760), Min2(S(711), product.high));
  const auto e = SplitExpParts(product);
  const Pair<S> one = OnePlus(e);
  return Scale(one.high + one.low, e.n);
}

template <FloatingScalar S>
MILLRACE_INLINE S Pow(S x, S y) {
  const S a = Abs(x);
  S r = PowOfSize(a, y);
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
}

MILLRACE_ISA_NAMESPACE_END
