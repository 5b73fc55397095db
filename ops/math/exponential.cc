// Exponentials, logarithms and what is made of them.
#include "millrace/ops/expr/family.h"
#if MILLRACE_BASELINE
#include "millrace/ops/expr/complex.h"
#include "millrace/ops/math/definitions.h"
#endif

#define MILLRACE_FLOAT_TYPES float, double, Half, BFloat16
#define MILLRACE_COMPLEX_TYPES std::complex<float>, std::complex<double>

MILLRACE_UNARY_FN(ExpFn, Exp(x))
MILLRACE_UNARY_FN(Expm1Fn, Expm1(x))
MILLRACE_UNARY_FN(LogFn, Log(x))
MILLRACE_UNARY_FN(Log1pFn, Log1p(x))
MILLRACE_UNARY_FN(TanhFn, Tanh(x))
MILLRACE_UNARY_FN(SigmoidFn, Sigmoid(x))

MILLRACE_EXPRESSION(Exp, {3}, Unary<ExpFn, MILLRACE_FLOAT_TYPES>, ScalarUnary<ExpFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Expm1, {3}, Unary<Expm1Fn, MILLRACE_FLOAT_TYPES>, ScalarUnary<Expm1Fn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Log, {3}, Unary<LogFn, MILLRACE_FLOAT_TYPES>, ScalarUnary<LogFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Log1p, {4}, Unary<Log1pFn, MILLRACE_FLOAT_TYPES>, ScalarUnary<Log1pFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Tanh, {4}, Unary<TanhFn, MILLRACE_FLOAT_TYPES>, ScalarUnary<TanhFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Sigmoid, {4}, Unary<SigmoidFn, MILLRACE_FLOAT_TYPES>, ScalarUnary<SigmoidFn, MILLRACE_COMPLEX_TYPES>)

#if MILLRACE_BASELINE
namespace millrace {
namespace families { void exponential(Registry&); }

void families::exponential(Registry& r) {
  constexpr std::string_view kTypes = "{bfloat16, half, float, double, complex64, complex128}";
  using math::DefineUnary;
  DefineUnary(r, "Exp", kTypes).Doc("e to the power of x.").Elementwise(&kExp);
  DefineUnary(r, "Expm1", kTypes).Doc("exp(x) - 1, exact near 0.").Elementwise(&kExpm1);
  DefineUnary(r, "Log", kTypes).Doc("The natural logarithm.").Elementwise(&kLog);
  DefineUnary(r, "Log1p", kTypes).Doc("log(1 + x), exact near 0.").Elementwise(&kLog1p);
  DefineUnary(r, "Tanh", kTypes).Doc("The hyperbolic tangent.").Elementwise(&kTanh);
  DefineUnary(r, "Sigmoid", kTypes).Doc("1 / (1 + exp(-x)).").Elementwise(&kSigmoid);
}

}  // namespace millrace
#endif
