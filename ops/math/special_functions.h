// Functions of one real number that the C library lacks, or has with side effects.
#pragma once

namespace millrace::math {

// log|gamma(x)|; infinite at 0 and the negative integers.
double LogGamma(double x);
// The derivative of log gamma; NaN at 0 and the negative integers.
double Digamma(double x);
// The derivative of Digamma of order n, n >= 0 whole, else NaN; infinite or NaN at
// 0 and the negative integers.
double Polygamma(double n, double x);
// Hurwitz's zeta function, the sum of (q + k)^-s over k = 0, 1 ...; infinite for
// s = 1, NaN for s < 1. Where q is not above 0, s must be whole.
double Zeta(double s, double q);
// y with erf(y) = x; infinite at -1 and 1, NaN beyond.
double ErfInverse(double x);
// y with P(N(0, 1) < y) = p; infinite at 0 and 1, NaN outside.
double NormalQuantile(double p);

}  // namespace millrace::math
