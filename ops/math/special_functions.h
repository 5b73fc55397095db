// Functions of one real number that the C library lacks, or has with side effects.
#pragma once

namespace millrace::math {

// log|gamma(x)|; infinite at 0 and the negative integers.
double LogGamma(double x);
// The derivative of log gamma; NaN at 0 and the negative integers.
double Digamma(double x);
// y with erf(y) = x; infinite at -1 and 1, NaN beyond.
double ErfInverse(double x);
// y with P(N(0, 1) < y) = p; infinite at 0 and 1, NaN outside.
double NormalQuantile(double p);

}  // namespace millrace::math
