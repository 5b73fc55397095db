// Trigonometric and hyperbolic functions.
#include "millrace/ops/expr/family.h"
#include "millrace/ops/math/types.h"
#if MILLRACE_BASELINE
#include "millrace/ops/expr/complex.h"
#include "millrace/ops/math/definitions.h"
#endif

#define MILLRACE_TRIGONOMETRIC(Name, cycles)                                 \
  MILLRACE_UNARY_FN(Name##Fn, Name(x))                                       \
  MILLRACE_EXPRESSION(Name, {cycles}, Unary<Name##Fn, MILLRACE_FLOAT_TYPES>, \
                      ScalarUnary<Name##Fn, MILLRACE_COMPLEX_TYPES>)
MILLRACE_TRIGONOMETRIC(Sin, 4)
MILLRACE_TRIGONOMETRIC(Cos, 4)
MILLRACE_TRIGONOMETRIC(Tan, 5)
MILLRACE_TRIGONOMETRIC(Asin, 4)
MILLRACE_TRIGONOMETRIC(Acos, 4)
MILLRACE_TRIGONOMETRIC(Atan, 4)
MILLRACE_TRIGONOMETRIC(Sinh, 6)
MILLRACE_TRIGONOMETRIC(Cosh, 5)
MILLRACE_TRIGONOMETRIC(Asinh, 8)
MILLRACE_TRIGONOMETRIC(Acosh, 7)
MILLRACE_TRIGONOMETRIC(Atanh, 7)
MILLRACE_BINARY_FN(Atan2Fn, Atan2(x, y))
MILLRACE_EXPRESSION(Atan2, {8}, Binary<Atan2Fn, MILLRACE_FLOAT_TYPES>)

#if MILLRACE_BASELINE
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
