// Powers, roots and reciprocals, and their gradients.
#include "millrace/ops/expr/family.h"
#include "millrace/ops/math/types.h"
#if MILLRACE_BASELINE
#include "millrace/ops/expr/complex.h"
#include "millrace/ops/math/checks.h"
#include "millrace/ops/math/definitions.h"
#endif

MILLRACE_ISA_NAMESPACE_BEGIN

// By squaring; wraps. The exponent is not negative.
template <class T>
MILLRACE_INLINE Vec<T, 1> IntegerPower(Vec<T, 1> x, Vec<T, 1> y) {
  return Vec<T, 1>::PerLane(x, y, [](T base, T exponent) {
    uint64_t result = 1, square = static_cast<uint64_t>(base);
    for (uint64_t e = exponent < 0 ? 0 : static_cast<uint64_t>(exponent); e != 0; e >>= 1) {
      if (e & 1) result *= square;
      square *= square;
    }
    return static_cast<T>(result);
  });
}
// The constant as the type of x has it.
template <class T, int N>
MILLRACE_INLINE Vec<T, N> Number(Vec<T, N>, double c) {
  return Vec<T, N>(static_cast<T>(c));
}
template <class T>
MILLRACE_INLINE Complex<T> Number(Complex<T>, double c) {
  return {static_cast<T>(c), 0};
}

MILLRACE_ISA_NAMESPACE_END

MILLRACE_BINARY_FN(PowFn, Pow(x, y))
MILLRACE_BINARY_FN(IntegerPowFn, IntegerPower(x, y))
MILLRACE_UNARY_FN(SquareFn, x* x)
MILLRACE_UNARY_FN(SqrtFn, Sqrt(x))
MILLRACE_UNARY_FN(RsqrtFn, Rsqrt(x))
MILLRACE_UNARY_FN(ReciprocalFn, One(x) / x)
// The gradients' operands are the op's result y and the gradient dy (here x, y).
MILLRACE_BINARY_FN(SqrtGradFn, Select(y == Zero(y), y, y* Number(y, 0.5) / Conj(x)))
MILLRACE_BINARY_FN(RsqrtGradFn, Select(y == Zero(y), y, Number(y, -0.5) * (y * Conj(x)) * (Conj(x) * Conj(x))))
MILLRACE_BINARY_FN(ReciprocalGradFn, -(Conj(x) * Conj(x)) * y)

MILLRACE_EXPRESSION(Pow, ({.cycles = 16, .check = math::CheckExponent}), Binary<PowFn, MILLRACE_FLOAT_TYPES>,
                    ScalarBinary<PowFn, MILLRACE_COMPLEX_TYPES>, ScalarBinary<IntegerPowFn, MILLRACE_SIGNED_TYPES>)
MILLRACE_EXPRESSION(Square, {1}, Unary<SquareFn, MILLRACE_REAL_TYPES>, ScalarUnary<SquareFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Sqrt, {2}, Unary<SqrtFn, MILLRACE_FLOAT_TYPES>, ScalarUnary<SqrtFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Rsqrt, {3}, Unary<RsqrtFn, MILLRACE_FLOAT_TYPES>, ScalarUnary<RsqrtFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Reciprocal, {2}, Unary<ReciprocalFn, MILLRACE_FLOAT_TYPES>,
                    ScalarUnary<ReciprocalFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(SqrtGrad, {2}, Binary<SqrtGradFn, MILLRACE_FLOAT_TYPES>,
                    ScalarBinary<SqrtGradFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(RsqrtGrad, {2}, Binary<RsqrtGradFn, MILLRACE_FLOAT_TYPES>,
                    ScalarBinary<RsqrtGradFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(ReciprocalGrad, {1}, Binary<ReciprocalGradFn, MILLRACE_FLOAT_TYPES>,
                    ScalarBinary<ReciprocalGradFn, MILLRACE_COMPLEX_TYPES>)

#if MILLRACE_BASELINE
namespace millrace::families {

void power(Registry& r) {
  using math::DefineBinary;
  using math::DefineUnary;
  constexpr std::string_view kTypes = "{bfloat16, half, float, double, complex64, complex128}";
  DefineBinary(r, "Pow", "{bfloat16, float, half, double, int8, int16, int32, int64, complex64, complex128}")
      .Doc("x to the power of y.\nA negative power of an integer is an error.")
      .Elementwise(&kPow);
  DefineUnary(r, "Square",
              "{bfloat16, half, float, double, int8, int16, int32, int64, uint8, uint16, uint32, uint64, complex64, "
              "complex128}")
      .Doc("x * x.")
      .Elementwise(&kSquare);
  DefineUnary(r, "Sqrt", kTypes).Doc("The square root.").Elementwise(&kSqrt);
  DefineUnary(r, "Rsqrt", kTypes).Doc("1 / sqrt(x).").Elementwise(&kRsqrt);
  for (const char* name : {"Reciprocal", "Inv"}) {
    DefineUnary(r, name, "{bfloat16, half, float, double, int8, int16, int32, int64, complex64, complex128}")
        .Doc("1 / x.")
        .Elementwise(&kReciprocal);
  }
  math::DefineResultGradient(r, "SqrtGrad", kTypes).Doc("dy / (2 y), with y = sqrt(x).").Elementwise(&kSqrtGrad);
  math::DefineResultGradient(r, "RsqrtGrad", kTypes).Doc("-dy y^3 / 2, with y = 1 / sqrt(x).").Elementwise(&kRsqrtGrad);
  for (const char* name : {"ReciprocalGrad", "InvGrad"}) {
    math::DefineResultGradient(r, name, kTypes).Doc("-dy y^2, with y = 1 / x.").Elementwise(&kReciprocalGrad);
  }
}

}  // namespace millrace::families
#endif
