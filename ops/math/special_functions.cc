#include "millrace/ops/math/special_functions.h"

#include <cmath>
#include <limits>

namespace millrace::math {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kPi = 3.14159265358979323846;

// y with erfc(y) = q for q in (0, 1]: a first guess from the tail's leading
// terms, then Halley's steps on log erfc, which is smooth far out.
double ErfcInverse(double q) {
  if (q == 1) return 0;
  const double w = -std::log(q * (2 - q));
  // Winitzki's approximation, good to 2e-3.
  const double a = 0.147, t = 2 / (kPi * a) - w / 2;
  double y = std::sqrt(std::sqrt(t * t + w / a) - t);
  for (int i = 0; i < 4; ++i) {
    const double e = std::erfc(y);
    const double f = (e - q) / (-2 / std::sqrt(kPi) * std::exp(-y * y));
    const double step = f / (1 + y * f);
    y -= step;
    if (std::fabs(step) <= 1e-16 * std::fabs(y)) break;
  }
  return y;
}

}  // namespace

double LogGamma(double x) {
  int sign;  // lgamma itself writes to a global
  return ::lgamma_r(x, &sign);
}

double Digamma(double x) {
  if (std::isnan(x) || x == -kInfinity) return kNan;
  if (x == kInfinity) return x;
  double result = 0;
  if (x <= 0) {
    const double part = x - std::rint(x);  // exact
    if (part == 0) return kNan;            // a pole; what the reference gives at 0 too
    // Reflection: digamma(1 - x) - pi / tan(pi x).
    result = std::fabs(part) == 0.5 ? 0 : -kPi / std::tan(kPi * part);
    x = 1 - x;
  }
  // Up the recurrence until the asymptotic series is exact.
  double shift = 0;
  while (x < 12) {
    shift += 1 / x;
    x += 1;
  }
  const double v = 1 / (x * x);
  constexpr double kBernoulli[] = {1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12};
  double series = 0;
  for (int i = 6; i >= 0; --i) series = (series + kBernoulli[i]) * v;
  return result + std::log(x) - 0.5 / x - series - shift;
}

namespace {

// For q > 0, s > 1, by the formula of Euler and Maclaurin: terms one by one until
// the remaining ones are smooth enough for the series, or do not count.
double ZetaOfPositive(double s, double q) {
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  const double smooth = 10 + 0.5 * s;
  double sum = 0;
  for (; q < smooth; q += 1) {
    const double term = std::pow(q, -s);
    sum += term;
    if (!(term > 0.1 * kEpsilon * sum)) return sum;
  }
  const double last = std::pow(q, -s);
  sum += q * last / (s - 1) + 0.5 * last;
  // B(2j) / (2j)! s (s + 1) ... (s + 2j - 2) q^(1 - s - 2j)
  constexpr double kCoefficients[] = {1.0 / 12,          -1.0 / 720,
                                      1.0 / 30240,       -1.0 / 1209600,
                                      1.0 / 47900160,    -691.0 / 1307674368000,
                                      1.0 / 74724249600, -3617.0 / 10670622842880000};
  double factor = s * last / q;
  double k = s;
  for (const double c : kCoefficients) {
    const double term = c * factor;
    sum += term;
    if (std::fabs(term) < kEpsilon * sum) break;
    factor *= (k + 1) / q * ((k + 2) / q);
    k += 2;
  }
  return sum;
}

}  // namespace

double Zeta(double s, double q) {
  if (std::isnan(s) || std::isnan(q) || s < 1) return kNan;
  if (s == 1) return kInfinity;
  if (q > 0) return std::isinf(q) ? 0 : ZetaOfPositive(s, q);
  const bool even = std::fmod(s, 2) == 0;
  if (std::rint(q) == q) return even ? kInfinity : kNan;
  if (std::rint(s) != s) return kNan;
  // The terms below 0 are those of -q down to its fraction: a difference of two
  // sums that begin above 0.
  const double fraction = -q - std::floor(-q);
  const double below = ZetaOfPositive(s, fraction) - ZetaOfPositive(s, 1 - q);
  return ZetaOfPositive(s, 1 - fraction) + (even ? below : -below);
}

double Polygamma(double n, double x) {
  if (!(n >= 0) || std::rint(n) != n) return kNan;
  if (n == 0) return Digamma(x);
  const double size = std::exp(LogGamma(n + 1)) * Zeta(n + 1, x);
  return std::fmod(n, 2) == 0 ? -size : size;
}

double ErfInverse(double x) {
  if (!(x >= -1 && x <= 1)) return kNan;
  // The reference goes through the quantile of (x + 1) / 2, which rounds so.
  x = (x + 1) - 1;
  if (std::fabs(x) == 1) return std::copysign(kInfinity, x);
  if (std::fabs(x) > 0.5) return std::copysign(ErfcInverse(1 - std::fabs(x)), x);
  // Newton's steps of the third order on erf.
  double y = x * (std::sqrt(kPi) / 2) * (1 + kPi / 12 * x * x);
  for (int i = 0; i < 4; ++i) {
    const double f = (std::erf(y) - x) / (2 / std::sqrt(kPi) * std::exp(-y * y));
    y -= f / (1 + y * f);
  }
  return y;
}

double NormalQuantile(double p) {
  if (!(p >= 0 && p <= 1)) return kNan;
  if (p == 0) return -kInfinity;
  if (p == 1) return kInfinity;
  const double root2 = std::sqrt(2.0);
  if (p < 0.25) return -root2 * ErfcInverse(2 * p);
  if (p > 0.75) return root2 * ErfcInverse(2 * (1 - p));
  return root2 * ErfInverse(2 * p - 1);
}

}  // namespace millrace::math
