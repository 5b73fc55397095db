// Trigonometric and hyperbolic functions.
#include "millrace/ops/expr/family.h"
#include "millrace/ops/math/types.h"
#if MILLRACE_BASELINE
#include "millrace/ops/expr/complex.h"
#include "millrace/ops/expr/libm.h"
#include "millrace/ops/math/definitions.h"
#endif

MILLRACE_UNARY_FN(SinFn, Sin(x))
MILLRACE_UNARY_FN(CosFn, Cos(x))
MILLRACE_EXPRESSION(Sin, {4}, Unary<SinFn, float, Half, BFloat16>, ScalarUnary<SinFn, double, MILLRACE_COMPLEX_TYPES>)
MILLRACE_EXPRESSION(Cos, {4}, Unary<CosFn, float, Half, BFloat16>, ScalarUnary<CosFn, double, MILLRACE_COMPLEX_TYPES>)

#if MILLRACE_BASELINE

#define MILLRACE_LIBM_EXPRESSION(Name) \
  MILLRACE_UNARY_FN(Name##Fn, Name(x)) \
  MILLRACE_BASELINE_EXPRESSION(Name, {30}, ScalarUnary<Name##Fn, MILLRACE_FLOAT_TYPES, MILLRACE_COMPLEX_TYPES>)
MILLRACE_LIBM_EXPRESSION(Tan)
MILLRACE_LIBM_EXPRESSION(Asin)
MILLRACE_LIBM_EXPRESSION(Acos)
MILLRACE_LIBM_EXPRESSION(Atan)
MILLRACE_LIBM_EXPRESSION(Sinh)
MILLRACE_LIBM_EXPRESSION(Cosh)
MILLRACE_LIBM_EXPRESSION(Asinh)
MILLRACE_LIBM_EXPRESSION(Acosh)
MILLRACE_LIBM_EXPRESSION(Atanh)
MILLRACE_BINARY_FN(Atan2Fn, Atan2(x, y))
MILLRACE_BASELINE_EXPRESSION(Atan2, {40}, ScalarBinary<Atan2Fn, MILLRACE_FLOAT_TYPES>)

namespace millrace::families {

void trigonometric(Registry& r) {
  const auto define = [&](const char* name) {
    return math::DefineUnary(r, name, "{bfloat16, half, float, double, complex64, complex128}");
  };
  // Old graphs may say int32 or int64 here; there has never been a kernel for them.
  const auto define_old = [&](const char* name) {
    return math::DefineUnary(r, name, "{bfloat16, half, float, double, int32, int64, complex64, complex128}");
  };
  define("Sin").Doc("The sine.").Elementwise(&kSin);
  define("Cos").Doc("The cosine.").Elementwise(&kCos);
  define_old("Tan").Doc("The tangent.").Elementwise(&kTan);
  define_old("Asin").Doc("The inverse sine.").Elementwise(&kAsin);
  define_old("Acos").Doc("The inverse cosine.").Elementwise(&kAcos);
  define_old("Atan").Doc("The inverse tangent.").Elementwise(&kAtan);
  define("Sinh").Doc("The hyperbolic sine.").Elementwise(&kSinh);
  define("Cosh").Doc("The hyperbolic cosine.").Elementwise(&kCosh);
  define("Asinh").Doc("The inverse hyperbolic sine.").Elementwise(&kAsinh);
  define("Acosh").Doc("The inverse hyperbolic cosine.").Elementwise(&kAcosh);
  define("Atanh").Doc("The inverse hyperbolic tangent.").Elementwise(&kAtanh);
  r.Define("Atan2")
      .Input("y: T")
      .Input("x: T")
      .Output("z: T")
      .Attr("T: {bfloat16, half, float, double}")
      .Doc("The angle of the point (x, y).")
      .Shape(shape_fns::BroadcastBinary)
      .Elementwise(&kAtan2);
}

}  // namespace millrace::families
#endif
