// Exponentials, logarithms and what is made of them, and their gradients.
#include "millrace/ops/expr/family.h"
#include "millrace/ops/math/types.h"
#if MILLRACE_BASELINE
#include "millrace/ops/expr/complex.h"
#include "millrace/ops/math/definitions.h"
#endif

MILLRACE_UNARY_FN(ExpFn, Exp(x))
MILLRACE_UNARY_FN(Expm1Fn, Expm1(x))
MILLRACE_UNARY_FN(LogFn, Log(x))
MILLRACE_UNARY_FN(Log1pFn, Log1p(x))
MILLRACE_UNARY_FN(TanhFn, Tanh(x))
MILLRACE_UNARY_FN(SigmoidFn, Sigmoid(x))
// Of the op's result and the gradient (here x, y).
MILLRACE_BINARY_FN(TanhGradFn, y*(One(x) - Conj(x) * Conj(x)))
MILLRACE_BINARY_FN(SigmoidGradFn, y* Conj(x) * (One(x) - Conj(x)))
// Where x is 0 the result is, whatever y is.
MILLRACE_BINARY_FN(XlogyFn, Select(x == Zero(x), x, x* Log(y)))
MILLRACE_BINARY_FN(Xlog1pyFn, Select(x == Zero(x), x, x* Log1p(y)))
MILLRACE_BINARY_FN(XdivyFn, Select(x == Zero(x), x, x / y))

MILLRACE_EXPRESSION(Exp, {3}, Unary<ExpFn, MILLRACE_FLOAT_TYPES>, ScalarUnary<ExpFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Expm1, {3}, Unary<Expm1Fn, MILLRACE_FLOAT_TYPES>, ScalarUnary<Expm1Fn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Log, {3}, Unary<LogFn, MILLRACE_FLOAT_TYPES>, ScalarUnary<LogFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Log1p, {4}, Unary<Log1pFn, MILLRACE_FLOAT_TYPES>, ScalarUnary<Log1pFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Tanh, {4}, Unary<TanhFn, MILLRACE_FLOAT_TYPES>, ScalarUnary<TanhFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Sigmoid, {4}, Unary<SigmoidFn, MILLRACE_FLOAT_TYPES>,
                    ScalarUnary<SigmoidFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(TanhGrad, {1}, Binary<TanhGradFn, MILLRACE_FLOAT_TYPES>,
                    ScalarBinary<TanhGradFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(SigmoidGrad, {1}, Binary<SigmoidGradFn, MILLRACE_FLOAT_TYPES>,
                    ScalarBinary<SigmoidGradFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Xlogy, {4}, Binary<XlogyFn, MILLRACE_FLOAT_TYPES>, ScalarBinary<XlogyFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Xlog1py, {5}, Binary<Xlog1pyFn, MILLRACE_FLOAT_TYPES>,
                    ScalarBinary<Xlog1pyFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Xdivy, {2}, Binary<XdivyFn, MILLRACE_FLOAT_TYPES>, ScalarBinary<XdivyFn, MILLRACE_COMPLEX_TYPES>)

#if MILLRACE_BASELINE
namespace millrace::families {

void exponential(Registry& r) {
  using math::DefineBinary;
  using math::DefineResultGradient;
  using math::DefineUnary;
  constexpr std::string_view kTypes = "{bfloat16, half, float, double, complex64, complex128}";
  DefineUnary(r, "Exp", kTypes).Doc("e to the power of x.").Elementwise(&kExp);
  DefineUnary(r, "Expm1", kTypes).Doc("exp(x) - 1, accurate near 0.").Elementwise(&kExpm1);
  DefineUnary(r, "Log", kTypes).Doc("The natural logarithm.").Elementwise(&kLog);
  DefineUnary(r, "Log1p", kTypes).Doc("log(1 + x), accurate near 0.").Elementwise(&kLog1p);
  DefineUnary(r, "Tanh", kTypes).Doc("The hyperbolic tangent.").Elementwise(&kTanh);
  DefineUnary(r, "Sigmoid", kTypes).Doc("1 / (1 + exp(-x)).").Elementwise(&kSigmoid);
  DefineResultGradient(r, "TanhGrad", kTypes).Doc("dy (1 - y^2), with y = tanh(x).").Elementwise(&kTanhGrad);
  DefineResultGradient(r, "SigmoidGrad", kTypes).Doc("dy y (1 - y), with y = sigmoid(x).").Elementwise(&kSigmoidGrad);
  constexpr std::string_view kXTypes = "{half, bfloat16, float, double, complex64, complex128}";
  DefineBinary(r, "Xlogy", kXTypes).Doc("x log(y), and 0 where x is 0.").Elementwise(&kXlogy);
  DefineBinary(r, "Xlog1py", kXTypes).Doc("x log(1 + y), and 0 where x is 0.").Elementwise(&kXlog1py);
  DefineBinary(r, "Xdivy", kXTypes).Doc("x / y, and 0 where x is 0.").Elementwise(&kXdivy);
}

}  // namespace millrace::families
#endif
