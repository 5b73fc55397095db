// The compiler's element-wise functions under one name for every compiler: clang
// has them for vectors; others, which make bodies one lane wide (a user's own
// file), for plain numbers.
#pragma once

#ifdef __clang__

#define MILLRACE_LANE(name, ...) __builtin_elementwise_##name(__VA_ARGS__)

#else

#define MILLRACE_LANE(name, ...) ::millrace::expr::one_lane::name(__VA_ARGS__)

namespace millrace::expr::one_lane {

#define MILLRACE_ONE_LANE(name, function)                           \
  inline float name(float x) { return __builtin_##function##f(x); } \
  inline double name(double x) { return __builtin_##function(x); }
MILLRACE_ONE_LANE(abs, fabs)
MILLRACE_ONE_LANE(floor, floor)
MILLRACE_ONE_LANE(ceil, ceil)
MILLRACE_ONE_LANE(trunc, trunc)
MILLRACE_ONE_LANE(roundeven, roundeven)
MILLRACE_ONE_LANE(sqrt, sqrt)
#undef MILLRACE_ONE_LANE
inline float fma(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
inline double fma(double x, double y, double z) { return __builtin_fma(x, y, z); }
// A product with 1 that the compiler cannot see flushes what arithmetic flushes.
template <class T>
T canonicalize(T x) {
  T one = 1;
  asm("" : "+x"(one));
  return x * one;
}

}  // namespace millrace::expr::one_lane

#endif
