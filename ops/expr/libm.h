// Functions that go through the C library, lane by lane: for bodies of one lane,
// compiled for the floor. The bits do not depend on the instruction set.
#pragma once

#include <math.h>

#include "millrace/ops/expr/scalar.h"

MILLRACE_ISA_NAMESPACE_BEGIN

#define MILLRACE_LIBM(Name, function)                       \
  template <FloatingScalar S>                               \
  MILLRACE_INLINE S Name(S x) {                             \
    return S::PerLane(x, [](auto v) {                       \
      if constexpr (sizeof v == 4) return ::function##f(v); \
      else return ::function(v);                            \
    });                                                     \
  }
MILLRACE_LIBM(Tan, tan)
MILLRACE_LIBM(Asin, asin)
MILLRACE_LIBM(Acos, acos)
MILLRACE_LIBM(Atan, atan)
MILLRACE_LIBM(Sinh, sinh)
MILLRACE_LIBM(Cosh, cosh)
MILLRACE_LIBM(Asinh, asinh)
MILLRACE_LIBM(Acosh, acosh)
MILLRACE_LIBM(Atanh, atanh)
MILLRACE_LIBM(Erfc, erfc)
#undef MILLRACE_LIBM

#define MILLRACE_LIBM2(Name, function)                         \
  template <FloatingScalar S>                                  \
  MILLRACE_INLINE S Name(S x, S y) {                           \
    return S::PerLane(x, y, [](auto a, auto b) {               \
      if constexpr (sizeof a == 4) return ::function##f(a, b); \
      else return ::function(a, b);                            \
    });                                                        \
  }
MILLRACE_LIBM2(Atan2, atan2)
MILLRACE_LIBM2(NextAfter, nextafter)
#undef MILLRACE_LIBM2

MILLRACE_ISA_NAMESPACE_END
