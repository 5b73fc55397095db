#include "millrace/tools/ulp/measure.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "millrace/devices/cpu/float_state.h"
#include "millrace/ops/expr/driver.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/dtype.h"

namespace millrace::ulp {
namespace {

constexpr size_t kBlock = 1 << 13;
// What counts as wrong altogether: infinite, a NaN, or of the wrong sign.
constexpr double kWrong = 1e9;

template <class T>
using Wider = std::conditional_t<sizeof(T) == 4, double, long double>;

template <class T>
Evaluate<Wider<T>> Exact(const Function& f) {
  if constexpr (sizeof(T) == 4) return f.in_double;
  else return f.in_long_double;
}
template <class T>
Evaluate<T> InCLibrary(const Function& f) {
  if constexpr (sizeof(T) == 4) return f.in_float;
  else return f.in_double;
}

template <class T>
const Body* FindBody(const Function& f) {
  const Op* op = f.op.empty() ? nullptr : Registry::BuiltIn().Find(f.op);
  const Expression* expression = op == nullptr ? f.expression : op->expression();
  const DType type = kDTypeOf<T>, types[] = {type, type};
  return expression == nullptr ? nullptr : expression->Find({types, size_t(f.arity)}, type, ActiveIsa());
}

template <class T>
bool IsDenormal(T x) {
  return x != 0 && std::fabs(x) < std::numeric_limits<T>::min();
}

// The distance of `found` from `exact` in units of the last place of `exact`.
template <class T>
double Distance(T found, Wider<T> exact) {
  using Limits = std::numeric_limits<T>;
  if (std::isnan(exact) || std::isnan(found)) return std::isnan(exact) && std::isnan(found) ? 0 : kWrong;
  // Where a run has zero, the number above is as good.
  const Wider<T> size = std::fabs(exact);
  if (size < Limits::min()) return std::fabs(found) <= Limits::min() ? 0 : kWrong;
  if (std::signbit(found) != std::signbit(exact)) return kWrong;
  const T nearest = static_cast<T>(exact);
  if (std::isinf(nearest)) return std::isinf(found) ? 0 : std::fabs(found) == Limits::max() ? 1 : kWrong;
  if (std::isinf(found)) return size > Limits::max() * (1 - 4 * Limits::epsilon()) ? 1 : kWrong;
  int exponent;
  (void)std::frexp(size, &exponent);
  return static_cast<double>(std::ldexp(std::fabs(static_cast<Wider<T>>(found) - exact), Limits::digits - exponent));
}

template <class T>
struct Samples {
  std::vector<T> x, y, ours;

  explicit Samples(size_t count) : x(count), y(count), ours(count) {}
};

template <class T>
void RunOn(const Body& body, std::vector<T>& x, std::vector<T>& y, std::vector<T>& out, size_t count, int arity) {
  const FlushDenormals flush;
  const int64_t n = static_cast<int64_t>(count);
  const TensorView in[] = {{x.data(), kDTypeOf<T>, 1, &n, n}, {y.data(), kDTypeOf<T>, 1, &n, n}};
  RunBody(body, {in, size_t(arity)}, {out.data(), kDTypeOf<T>, 1, &n, n});
}

// Whether the argument counts.
template <class T>
bool Counts(const Function& f, T x, T y) {
  return !IsDenormal(x) && !IsDenormal(y) && (f.leave_out == nullptr || !f.leave_out(x, y));
}
void AddTo(Errors& errors, double distance, double x, double y) {
  errors.sum += distance;
  ++errors.count;
  if (distance > errors.max) errors.max = distance, errors.worst[0] = x, errors.worst[1] = y;
}

template <class T>
void Compare(const Function& f, Samples<T>& s, size_t count, int c_library_every, std::span<const T> given,
             Report& report) {
  const Evaluate<Wider<T>> exact = Exact<T>(f);
  const Evaluate<T> c_library = InCLibrary<T>(f);
  for (size_t i = 0; i < count; ++i) {
    const T x = s.x[i], y = s.y[i];
    if (!Counts(f, x, y)) continue;
    const Wider<T> value = exact(x, y);
    const auto add = [&](Errors& errors, T found) { AddTo(errors, Distance<T>(found, value), x, y); };
    add(report.ours, s.ours[i]);
    if (c_library_every > 0 && i % static_cast<size_t>(c_library_every) == 0) add(report.c_library, c_library(x, y));
    if (!given.empty()) add(report.given, given[i]);
  }
}

// |found - exact| in units of the last place of a float that is `exact`; nothing
// where a run has zero, or infinity, as it must; more than any bound where there is
// more to look at. No branches: the compiler makes vectors of it.
double QuickDistance(float found, double exact) {
  uint64_t bits;
  std::memcpy(&bits, &exact, sizeof bits);
  const uint64_t exponent = bits >> 52 & 2047;
  const uint64_t scale_bits = (1023 + 23 + 1023 - exponent) << 52;
  double scale;
  std::memcpy(&scale, &scale_bits, sizeof scale);
  const double size = std::fabs(exact), value = static_cast<double>(found);
  const double distance = std::fabs(value - exact) * scale;
  const bool zero = size < 0x1p-126 && std::fabs(value) <= 0x1p-126;
  const bool infinite = size >= 0x1p128 && value == std::copysign(INFINITY, exact);
  const bool ordinary = exponent > 1023 - 126 && exponent < 1023 + 127;
  return zero || infinite ? 0 : ordinary ? distance : kWrong;
}

// Of very many floats: the exact values are those of our kernel for double, whose
// own errors are some 2^-28 of a unit. The C library judges wherever that says
// anything but "well within the bound", and one sample in `every` at all events.
void CompareByDouble(const Function& f, const Body& in_double, Samples<float>& s, Samples<double>& d, size_t count,
                     int every, Report& report) {
  for (size_t i = 0; i < count; ++i) d.x[i] = s.x[i];
  RunOn(in_double, d.x, d.y, d.ours, count, 1);
  for (size_t i = 0; i < count; ++i) d.y[i] = QuickDistance(s.ours[i], d.ours[i]);
  const double suspicious = std::max(0.6 * f.float_bound, report.ours.max);
  double sum = 0;
  int64_t good = 0;
  for (size_t i = 0; i < count; ++i) {
    if (d.y[i] < suspicious && i % static_cast<size_t>(every) != 0) [[likely]] {
      sum += d.y[i];
      ++good;
      continue;
    }
    const float x = s.x[i];
    if (!Counts(f, x, 0.0f)) continue;
    const double value = f.in_double(x, 0);
    double distance = Distance<float>(s.ours[i], value);
    // The judge of the others has to agree.
    if (d.y[i] < kWrong && std::fabs(distance - d.y[i]) > 0x1p-20) distance = kWrong;
    AddTo(report.ours, distance, x, 0);
    if (i % static_cast<size_t>(every) == 0) AddTo(report.c_library, Distance<float>(f.in_float(x, 0), value), x, 0);
  }
  report.ours.sum += sum;
  report.ours.count += good;
  std::fill(d.y.begin(), d.y.end(), 0.0);
}

template <class T>
T FromBits(uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Multiples of pi/2 that lie nearest to a double, and where functions turn.
constexpr double kHard[] = {0.0,
                            1.0,
                            0.5,
                            2.0,
                            0x1.6ac5b262ca1ffp+849,  // 2^-61 from a multiple of pi/2
                            0x1.921fb54442d18p+0,
                            0x1.921fb54442d18p+1,
                            0x1.921fb54442d18p+20,
                            0x1.62e42fefa39efp-1,
                            0x1p-30,
                            0x1p1023,
                            1e300,
                            0.92,
                            0x1.fffffffffffffp-1,
                            0x1.0000000000001p+0,
                            88.7,
                            709.7,
                            5.0,
                            27.2,
                            std::numeric_limits<double>::infinity(),
                            std::numeric_limits<double>::quiet_NaN()};

template <class T>
T RandomArgument(const Function& f, std::mt19937_64& random) {
  const uint64_t bits = random(), kind = random() % 64;
  const double unit = static_cast<double>(random() >> 11) * 0x1p-53;  // in [0, 1)
  const double sign = bits & 1 ? -1 : 1;
  if (kind < 32) return static_cast<T>(f.low + (f.high - f.low) * unit);
  if (kind < 46) {
    const T value = FromBits<T>(bits);
    return std::isnan(value) ? std::numeric_limits<T>::quiet_NaN() : value;
  }
  if (kind < 54) return static_cast<T>(sign * std::ldexp(1 + unit, static_cast<int>(bits >> 8 & 63) - 40));
  if (kind < 57) return static_cast<T>(std::round(sign * unit * 64));
  if (kind < 60) return static_cast<T>(1 + sign * std::ldexp(unit, -static_cast<int>(bits >> 8 & 31)));
  if (kind < 63) {
    const long double multiple = static_cast<long double>(bits >> 8) / (1ull << (bits >> 2 & 63) % 56);
    return static_cast<T>(std::floor(multiple) * 1.57079632679489661923132169163975144L);
  }
  return static_cast<T>(sign * kHard[(bits >> 8) % std::size(kHard)]);
}

// A power: half of the exponents such that the result is a normal number.
template <class T>
T RandomExponent(T base, T otherwise, std::mt19937_64& random) {
  const double size = std::fabs(std::log(std::fabs(static_cast<double>(base))));
  if (random() % 2 == 0 || !(size > 0) || std::isinf(size)) return otherwise;
  const double most = std::log(static_cast<double>(std::numeric_limits<T>::max()));
  const double y = (static_cast<double>(random() >> 11) * 0x1p-52 - 1) * 1.05 * most / size;
  return static_cast<T>(base < 0 ? std::round(y) : y);
}

}  // namespace

void Errors::Add(const Errors& other) {
  if (other.max > max) max = other.max, worst[0] = other.worst[0], worst[1] = other.worst[1];
  sum += other.sum;
  count += other.count;
}

Report MeasureEveryFloat(const Function& f, uint64_t first, uint64_t last, int c_library_every) {
  Report report;
  const Body *body = FindBody<float>(f), *in_double = FindBody<double>(f);
  if (body == nullptr || in_double == nullptr) return report;
  Samples<float> s(kBlock);
  Samples<double> d(kBlock);
  for (uint64_t bits = first; bits < last;) {
    size_t count = 0;
    for (; count < kBlock && bits < last; ++bits) s.x[count++] = FromBits<float>(bits);
    RunOn(*body, s.x, s.y, s.ours, count, 1);
    CompareByDouble(f, *in_double, s, d, count, c_library_every, report);
  }
  return report;
}

Report MeasureFloats(const Function& f, uint64_t first, uint64_t last, uint64_t stride, int c_library_every,
                     const GivenResults& given) {
  Report report;
  const Body* body = FindBody<float>(f);
  if (body == nullptr) return report;
  Samples<float> s(kBlock);
  std::vector<float> given_results(given ? kBlock : 0);
  for (uint64_t bits = first; bits < last;) {
    size_t count = 0;
    for (; count < kBlock && bits < last; bits += stride) s.x[count++] = FromBits<float>(bits);
    RunOn(*body, s.x, s.y, s.ours, count, 1);
    if (given && !given({given_results.data(), count})) break;
    Compare<float>(f, s, count, c_library_every, given_results, report);
  }
  return report;
}

template <class T>
Report MeasureSamples(const Function& f, int64_t samples, uint64_t seed, int c_library_every) {
  Report report;
  const Body* body = FindBody<T>(f);
  if (body == nullptr) return report;
  std::mt19937_64 random(seed);
  Samples<T> s(kBlock);
  for (int64_t done = 0; done < samples; done += static_cast<int64_t>(kBlock)) {
    for (size_t i = 0; i < kBlock; ++i) {
      s.x[i] = RandomArgument<T>(f, random);
      if (f.arity == 1) continue;
      s.y[i] = RandomArgument<T>(f, random);
      if (f.name == "pow") s.y[i] = RandomExponent(s.x[i], s.y[i], random);
    }
    RunOn(*body, s.x, s.y, s.ours, kBlock, f.arity);
    Compare<T>(f, s, kBlock, c_library_every, {}, report);
  }
  return report;
}
template Report MeasureSamples<float>(const Function&, int64_t, uint64_t, int);
template Report MeasureSamples<double>(const Function&, int64_t, uint64_t, int);

}  // namespace millrace::ulp
