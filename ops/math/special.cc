// Error, gamma and zeta functions, and the next number.
#include "millrace/ops/expr/family.h"
#include "millrace/ops/math/types.h"
#if MILLRACE_BASELINE
#include "millrace/ops/math/definitions.h"
#include "millrace/ops/math/special_functions.h"
#endif

MILLRACE_ISA_NAMESPACE_BEGIN
// The number next to x on the way to y. The bits of numbers, with those of
// negative ones turned round, are in the order of the numbers.
template <FloatingScalar S>
MILLRACE_INLINE S NextAfter(S x, S y) {
  using I = typename S::I;
  const auto order = [](I bits) { return Select(bits < I(0), SignBit<S>() - bits, bits); };
  const I from = order(Bits(x)), to = order(Bits(y));
  const I next = order(Select(to > from, from + I(1), from - I(1)));
  return Select(IsNan(x) | IsNan(y), x + y, Select(x == y, y, S::FromBits(next)));
}
MILLRACE_ISA_NAMESPACE_END

MILLRACE_UNARY_FN(ErfFn, Erf(x))
MILLRACE_BINARY_FN(NextAfterFn, NextAfter(x, y))
MILLRACE_EXPRESSION(NextAfter, {2}, Binary<NextAfterFn, float, double>)
MILLRACE_UNARY_FN(ErfcFn, Erfc(x))
MILLRACE_EXPRESSION(Erf, {5}, Unary<ErfFn, MILLRACE_FLOAT_TYPES>)
MILLRACE_EXPRESSION(Erfc, {12}, Unary<ErfcFn, MILLRACE_FLOAT_TYPES>)

#if MILLRACE_BASELINE

MILLRACE_ISA_NAMESPACE_BEGIN
// A function of double numbers, rounded once.
template <double (*kFunction)(double)>
struct ThroughDouble {
  template <class T>
  static Vec<T, 1> Of(Vec<T, 1> x) {
    return Vec<T, 1>(static_cast<T>(kFunction(static_cast<double>(x.v))));
  }
};
template <double (*kFunction)(double, double)>
struct BothThroughDouble {
  template <class T>
  static Vec<T, 1> Of(Vec<T, 1> x, Vec<T, 1> y) {
    return Vec<T, 1>(static_cast<T>(kFunction(static_cast<double>(x.v), static_cast<double>(y.v))));
  }
};
MILLRACE_ISA_NAMESPACE_END

MILLRACE_BASELINE_EXPRESSION(Lgamma, {60}, ScalarUnary<ThroughDouble<math::LogGamma>, MILLRACE_FLOAT_TYPES>)
MILLRACE_BASELINE_EXPRESSION(Digamma, {60}, ScalarUnary<ThroughDouble<math::Digamma>, MILLRACE_FLOAT_TYPES>)
MILLRACE_BASELINE_EXPRESSION(Erfinv, {90}, ScalarUnary<ThroughDouble<math::ErfInverse>, MILLRACE_FLOAT_TYPES>)
MILLRACE_BASELINE_EXPRESSION(Ndtri, {90}, ScalarUnary<ThroughDouble<math::NormalQuantile>, MILLRACE_FLOAT_TYPES>)
MILLRACE_BASELINE_EXPRESSION(Zeta, {300}, ScalarBinary<BothThroughDouble<math::Zeta>, float, double>)
MILLRACE_BASELINE_EXPRESSION(Polygamma, {400}, ScalarBinary<BothThroughDouble<math::Polygamma>, float, double>)

namespace millrace::families {

void special(Registry& r) {
  const auto define = [&](const char* name) { return math::DefineUnary(r, name, "{bfloat16, half, float, double}"); };
  define("Erf").Doc("The error function.").Elementwise(&kErf);
  define("Erfc").Doc("1 - erf(x), accurate for large x.").Elementwise(&kErfc);
  define("Lgamma").Doc("The logarithm of the absolute value of the gamma function.").Elementwise(&kLgamma);
  define("Digamma").Doc("The derivative of Lgamma.").Elementwise(&kDigamma);
  define("Erfinv").Doc("The inverse of the error function.").Elementwise(&kErfinv);
  define("Ndtri").Doc("The quantile of the standard normal distribution.").Elementwise(&kNdtri);
  r.Define("Polygamma")
      .Input("a: T")
      .Input("x: T")
      .Output("z: T")
      .Attr("T: {float, double}")
      .Doc("The derivative of Digamma of order a: a whole number from 0, else the result is NaN.")
      .Shape(shape_fns::BroadcastBinary)
      .Elementwise(&kPolygamma);
  r.Define("Zeta")
      .Input("x: T")
      .Input("q: T")
      .Output("z: T")
      .Attr("T: {float, double}")
      .Doc("The Hurwitz zeta function: the sum of (q + k)^-x over k = 0, 1, 2 ...")
      .Shape(shape_fns::BroadcastBinary)
      .Elementwise(&kZeta);
  r.Define("NextAfter")
      .Input("x1: T")
      .Input("x2: T")
      .Output("output: T")
      .Attr("T: {double, float} = DT_FLOAT")
      .Doc("The number next to x1 on the way to x2.")
      .Shape(shape_fns::BroadcastBinary)
      .Elementwise(&kNextAfter);
}

}  // namespace millrace::families
#endif
