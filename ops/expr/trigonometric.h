// sin, cos, tan, for arguments of any size, and their inverses.
#pragma once

#include "millrace/ops/expr/coefficients.h"
#include "millrace/ops/expr/numbers.h"

MILLRACE_ISA_NAMESPACE_BEGIN

// x = quarter pi/2 + r + low, with |r| <= pi/4 or a little more; `quarter` is the
// whole number in its low bits.
template <FloatingScalar S>
struct ReducedAngle {
  S r, low;
  typename S::I quarter;
};

// For |x| up to kNearAngle.
template <FloatingScalar S>
inline constexpr double kNearAngle = kSingle<S> ? 65536 : 1e6;
template <FloatingScalar S>
MILLRACE_INLINE ReducedAngle<S> ReduceNear(S x) {
  const S shift = Const<S>(0x1.8p23, 0x1.8p52), t = Fma(x, Const<S>(0x1.45f306dc9c883p-1), shift), n = t - shift;
  // pi/2 in three parts. The first difference is exact; the second part may take
  // away nearly all that is left.
  const S near = Fma(n, Const<S>(-0x1.921fb4p+0, -0x1.921fb54442d18p+0), x);
  const S second = Const<S>(-0x1.4442d0p-24, -0x1.1a62633145c06p-54);
  const Pair<S> product = MultiplyExactly(n, second);
  const Pair<S> r = AddExactly(near, product.high);
  const S low = Fma(n, Const<S>(-0x1.84698ap-48, -0x1.c1cd129024e09p-107), r.low + product.low);
  return {r.high, low, Bits(t)};
}

// For double numbers of any size: x 2/pi to some 170 bits behind the point, of
// which multiples of 4 are dropped term by term. kParts words of 53 bits of 2/pi
// serve at once: those whose products with x are neither multiples of 4 nor too
// small. 4 serve the numbers that a float can have, 6 all.
template <int kParts, FloatingScalar D>
MILLRACE_INLINE ReducedAngle<D> ReduceFar(D x) {
  constexpr int kWindows = kParts > 4 ? 10 : 1;
  D scale(1), word[kParts];
  for (int j = 0; j < kParts; ++j) word[j] = D(kTwoOverPi[j]);
  double bound = 0x1p160, power = 0x1p-106;
  for (int w = 1; w < kWindows; ++w) {
    const auto in_window = Abs(x) >= D(bound);
    scale = Select(in_window, D(power), scale);
    for (int j = 0; j < kParts; ++j) word[j] = Select(in_window, D(kTwoOverPi[2 * w + j]), word[j]);
    bound *= 0x1p106;
    power *= 0x1p-106;
  }
  // A sum of three parts, none of which overlaps the next by much.
  D high(0), middle(0), low(0), scaled = x * scale;
  const auto add = [&](D term) {
    term = Fma(Rint(term * D(0.25)), D(-4), term);
    const Pair<D> a = AddExactly(high, term);
    const Pair<D> b = AddExactly(middle, a.low);
    high = a.high, middle = b.high, low = low + b.low;
  };
  for (int j = 0; j < kParts; ++j) {
    const Pair<D> product = MultiplyExactly(scaled, word[j]);
    add(product.high);
    add(product.low);
    scaled = scaled * D(0x1p-53);
  }
  const D shift(0x1.8p52), t = high + shift;
  const Pair<D> fraction = AddExactly(high - (t - shift), middle);
  const D rest = fraction.low + low;
  const Pair<D> r = MultiplyExactly(fraction.high, D(0x1.921fb54442d18p+0));
  const D tail = Fma(rest, D(0x1.921fb54442d18p+0), Fma(fraction.high, D(0x1.1a62633145c07p-54), r.low));
  const Pair<D> sum = AddSmaller(r.high, tail);
  return {sum.high, sum.low, Bits(t)};
}

// sin(a + quarter pi/2); float leaves out a.low, which is worth a tenth of a unit.
// The coefficients are those of S, or those for float where the result will be one.
template <FloatingScalar S, size_t kSinTerms, class C, size_t kCosTerms>
MILLRACE_INLINE S SinOfAngle(ReducedAngle<S> a, int quarter, const C (&sines)[kSinTerms],
                             const C (&cosines)[kCosTerms]) {
  using I = typename S::I;
  constexpr int kSignShift = kSingle<S> ? 30 : 62;
  const S r = a.r, v = r * r;
  S sine, cosine;
  if constexpr (kSingle<S>) {
    sine = CopySign(Fma(r * v, Polynomial(v, sines), r), r);
    cosine = Fma(v, Fma(v, Polynomial(v, cosines), Const<S>(-0.5)), S(1));
  } else {
    const S half = Const<S>(0.5) * v, near = S(1) - half;
    sine = CopySign(r + Fma(r * v, Polynomial(v, sines), a.low * near), r);
    cosine = near + (((S(1) - near) - half) + Fma(v * v, Polynomial(v, cosines), -r * a.low));
  }
  const I q = a.quarter + I(quarter);
  const S y = Select(Test(q & I(1)), cosine, sine);
  return S::FromBits(Bits(y) ^ ((q & I(2)) << kSignShift));
}

// sin(x + quarter pi/2) where x is far out, infinite or NaN. One function, since
// few values come here.
template <FloatingScalar S>
__attribute__((noinline)) S SinFar(S x, int quarter) {
  if constexpr (kSingle<S>) {
    return SinOfAngle(ReduceFar<4>(x.template To<double>()), quarter, kSin32, kCos32).template To<float>();
  } else {
    return SinOfAngle(ReduceFar<6>(x), quarter, kSin64, kCos64);
  }
}
template <FloatingScalar S>
MILLRACE_INLINE S SinOfQuarter(S x, int quarter) {
  S near;
  if constexpr (kSingle<S>) {
    const S shift = Const<S>(0x1.8p23), t = Fma(x, Const<S>(0x1.45f306dc9c883p-1), shift), n = t - shift;
    S r = Fma(n, Const<S>(-0x1.921fb4p+0), x);
    r = Fma(n, Const<S>(-0x1.4442d0p-24), r);
    r = Fma(n, Const<S>(-0x1.84698ap-48), r);
    near = SinOfAngle(ReducedAngle<S>{r, S(0), Bits(t)}, quarter, kSin32, kCos32);
  } else {
    near = SinOfAngle(ReduceNear(x), quarter, kSin64, kCos64);
  }
  return SelectRare(!(Abs(x) <= Const<S>(kNearAngle<S>)), [&] { return SinFar(x, quarter); }, near);
}
template <FloatingScalar S>
MILLRACE_INLINE S Sin(S x) {
  return SinOfQuarter(x, 0);
}
template <FloatingScalar S>
MILLRACE_INLINE S Cos(S x) {
  return SinOfQuarter(x, 1);
}

template <FloatingScalar S, size_t kTerms, class C>
MILLRACE_INLINE S TanOfAngle(ReducedAngle<S> a, const C (&c)[kTerms]) {
  using I = typename S::I;
  const S v = a.r * a.r;
  const Pair<S> t = AddSmaller(a.r, Fma(a.r * v, Polynomial(v, c), Fma(a.low, v, a.low)));
  // -1 / t, with what the division loses put back.
  const S inverse = S(-1) / t.high;
  const S turned = Fma(inverse, Fma(inverse, t.low, Fma(inverse, t.high, S(1))), inverse);
  return Select(Test(a.quarter & I(1)), turned, CopySign(t.high, a.r));
}
template <FloatingScalar S>
__attribute__((noinline)) S TanFar(S x) {
  if constexpr (kSingle<S>) return TanOfAngle(ReduceFar<4>(x.template To<double>()), kTan32).template To<float>();
  else return TanOfAngle(ReduceFar<6>(x), kTan64);
}
template <FloatingScalar S>
MILLRACE_INLINE S Tan(S x) {
  const auto far = !(Abs(x) <= Const<S>(kNearAngle<S>));
  if constexpr (kSingle<S>) return SelectRare(far, [&] { return TanFar(x); }, TanOfAngle(ReduceNear(x), kTan32));
  else return SelectRare(far, [&] { return TanFar(x); }, TanOfAngle(ReduceNear(x), kTan64));
}

// pi/2 times 1 or 2, in two parts.
template <FloatingScalar S>
MILLRACE_INLINE Pair<S> HalfPi(double times) {
  return {Const<S>(times * 0x1.921fb6p+0, times * 0x1.921fb54442d18p+0),
          Const<S>(times * -0x1.777a5cp-25, times * 0x1.1a62633145c07p-54)};
}
template <FloatingScalar S, class M>
MILLRACE_INLINE Pair<S> SelectPair(M mask, Pair<S> a, Pair<S> b) {
  return {Select(mask, a.high, b.high), Select(mask, a.low, b.low)};
}
// base + y + tail, where |y| <= |base| or base is 0, and |tail| is far below |y|.
template <FloatingScalar S>
MILLRACE_INLINE S AddTo(Pair<S> base, S y, S tail) {
  const Pair<S> sum = AddSmaller(base.high, y);
  return sum.high + (sum.low + (tail + base.low));
}

template <FloatingScalar S>
MILLRACE_INLINE S Atan(S x) {
  const S a = Abs(x);
  const auto steep = a > S(1);
  const S t = Select(steep, S(-1), a) / Select(steep, a, S(1)), v = t * t;
  const S tail = t * v * Polynomial(v, kAtan32, kAtan64);
  return CopySign(AddTo(SelectPair(steep, HalfPi<S>(1), Pair<S>{S(0), S(0)}), t, tail), x);
}

// The angle of the point (x, y); y comes first, as in C.
template <FloatingScalar S>
MILLRACE_INLINE S Atan2(S y, S x) {
  using I = typename S::I;
  const S width = Abs(x), height = Abs(y);
  const auto steep = height > width, left = Bits(x) < I(0);
  S small = Select(steep, width, height), large = Select(steep, height, width);
  const auto equal = small == large;  // also where both are 0 or infinite
  const S zero_or_one = Select(small == S(0), S(0), S(1));
  small = Select(equal, zero_or_one, small), large = Select(equal, S(1), large);
  const S t = small / large, v = t * t;
  // What the division loses; nothing where the rest is not a number.
  const S lost = Fma(-t, large, small) / Fma(large, v, large);
  const S tail = Fma(t * v, Polynomial(v, kAtan32, kAtan64), Select(Abs(lost) < S(1), lost, S(0)));
  const Pair<S> base = SelectPair(steep, HalfPi<S>(1), SelectPair(left, HalfPi<S>(2), Pair<S>{S(0), S(0)}));
  const auto minus = steep != left;
  const S result = AddTo(base, Select(minus, -t, t), Select(minus, -tail, tail));
  // A NaN of either, which the comparisons have lost.
  return CopySign(Select(x == x, result, x), y);
}

// asin(s) - s in s for s in [0, 0.5].
template <FloatingScalar S>
MILLRACE_INLINE S AsinTail(S square) {
  return square * Polynomial(square, kAsin32, kAsin64);
}
template <FloatingScalar S>
MILLRACE_INLINE S Asin(S x) {
  const S a = Abs(x);
  const auto big = a > Const<S>(0.5);
  // pi/2 - 2 asin(sqrt((1 - a) / 2))
  const S square = Select(big, (S(1) - a) * Const<S>(0.5), a * a), root = Sqrt(square);
  const S s = Select(big, S(-2) * root, a);
  return CopySign(AddTo(SelectPair(big, HalfPi<S>(1), Pair<S>{S(0), S(0)}), s, s * AsinTail(square)), x);
}
template <FloatingScalar S>
MILLRACE_INLINE S Acos(S x) {
  const S a = Abs(x);
  const auto big = a > Const<S>(0.5), left = x < S(0);
  const S square = Select(big, (S(1) - a) * Const<S>(0.5), a * a), root = Sqrt(square);
  // 2 asin(root) on the right; pi less that on the left; pi/2 - asin(x) between.
  const S twice = root + root, s = Select(big, Select(left, -twice, twice), -x);
  const Pair<S> base = SelectPair(big, SelectPair(left, HalfPi<S>(2), Pair<S>{S(0), S(0)}), HalfPi<S>(1));
  return AddTo(base, s, s * AsinTail(square));
}

MILLRACE_ISA_NAMESPACE_END
