// Signs and rounding.
#include "millrace/ops/expr/family.h"
#include "millrace/ops/math/types.h"
#if MILLRACE_BASELINE
#include "millrace/ops/expr/complex.h"
#include "millrace/ops/math/definitions.h"
#include "millrace/ops/registry/sym_eval.h"
#endif

MILLRACE_ISA_NAMESPACE_BEGIN

template <class T, int N>
MILLRACE_INLINE Vec<T, N> Sign(Vec<T, N> x) {
  const auto zero = Zero(x);
  return Select(x > zero, One(x), Select(x < zero, -One(x), Select(x == x, zero, x)));
}
#if MILLRACE_BASELINE
template <class T>
Complex<T> Sign(Complex<T> z) {
  const T size = std::abs(Std(z));
  const T scale = 1 / size;
  return size == 0 ? Complex<T>{0, 0} : Complex<T>{z.re * scale, z.im * scale};
}
#endif

MILLRACE_ISA_NAMESPACE_END

MILLRACE_UNARY_FN(NegFn, -x)
MILLRACE_UNARY_FN(AbsFn, Abs(x))
MILLRACE_UNARY_FN(SignFn, Sign(x))
MILLRACE_UNARY_FN(FloorFn, Floor(x))
MILLRACE_UNARY_FN(CeilFn, Ceil(x))
MILLRACE_UNARY_FN(RintFn, Rint(x))
MILLRACE_UNARY_FN(ZeroFn, Zero(x))

MILLRACE_EXPRESSION(Neg, {1}, Unary<NegFn, MILLRACE_FLOAT_TYPES, MILLRACE_SIGNED_TYPES>,
                    ScalarUnary<NegFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Abs, {1}, Unary<AbsFn, MILLRACE_FLOAT_TYPES, MILLRACE_SIGNED_TYPES>)
MILLRACE_EXPRESSION(Sign, {1}, Unary<SignFn, MILLRACE_FLOAT_TYPES, MILLRACE_SIGNED_TYPES>,
                    ScalarUnary<SignFn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Floor, {1}, Unary<FloorFn, MILLRACE_FLOAT_TYPES>)
MILLRACE_EXPRESSION(Ceil, {1}, Unary<CeilFn, MILLRACE_FLOAT_TYPES>)
MILLRACE_EXPRESSION(Rint, {1}, Unary<RintFn, MILLRACE_FLOAT_TYPES>)
// The reference has Round for integers, and it answers 0: so do we.
MILLRACE_EXPRESSION(Round, {1}, Unary<RintFn, MILLRACE_FLOAT_TYPES>, Unary<ZeroFn, int32_t, int64_t>)

#if MILLRACE_BASELINE
namespace millrace {
namespace {

Status NegShape(InferenceContext& c) {
  MR_RETURN_IF_ERROR(math::SameShape(c));
  EvalNegate(c);
  return OkStatus();
}

}  // namespace

namespace families {

void rounding(Registry& r) {
  using math::DefineUnary;
  constexpr std::string_view kFloat = "{bfloat16, half, float, double}";
  constexpr std::string_view kAll = "{bfloat16, half, float, double, int8, int16, int32, int64, complex64, complex128}";
  const auto steps = [&](const char* name, std::string_view types) {
    return DefineUnary(r, name, types).NoGradient("its result moves in steps");
  };
  DefineUnary(r, "Neg", kAll).Doc("-x.\nIntegers wrap.").Shape(NegShape).Elementwise(&kNeg);
  DefineUnary(r, "Abs", "{bfloat16, half, float, double, int8, int16, int32, int64}")
      .Doc("The absolute value.\nIntegers wrap.")
      .Elementwise(&kAbs);
  DefineUnary(r, "Sign", kAll).Doc("-1, 0 or 1; of a complex number x / |x|.").Elementwise(&kSign);
  steps("Floor", kFloat).Doc("The greatest integer not above x.").Elementwise(&kFloor);
  steps("Ceil", kFloat).Doc("The smallest integer not below x.").Elementwise(&kCeil);
  steps("Rint", kFloat).Doc("The nearest integer, ties to even.").Elementwise(&kRint);
  steps("Round", kAll)
      .Doc("The nearest integer, ties to even.\nOf int32 and int64 it is 0, as in the reference.")
      .Elementwise(&kRound);
}

}  // namespace families
}  // namespace millrace
#endif
