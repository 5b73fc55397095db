// The errors of elementary functions, on samples; bin/ulp --exhaustive measures all
// floats.
#include <cmath>

#include "millrace/tests/test.h"
#include "millrace/tools/ulp/measure.h"

namespace millrace::ulp {
namespace {

TEST_CASE("float functions of one argument stay within their bound, over all magnitudes") {
  for (const Function& f : Functions()) {
    if (f.arity != 1) continue;
    const Report report = MeasureFloats(f, 0, uint64_t{1} << 32, 65521, 0);
    INFO(f.name << "(" << report.ours.worst[0] << ") is off by " << report.ours.max);
    CHECK(report.ours.count > 2000);
    CHECK(report.ours.max <= f.float_bound);
  }
}

TEST_CASE("functions of floats and doubles stay within their bound on samples with the hard ones among them") {
  for (const Function& f : Functions()) {
    const Report single = MeasureSamples<float>(f, 60'000, 1, 0), twice = MeasureSamples<double>(f, 60'000, 2, 0);
    INFO(f.name << " of float at " << single.ours.worst[0] << ", " << single.ours.worst[1] << "; of double at "
                << twice.ours.worst[0] << ", " << twice.ours.worst[1]);
    CHECK(single.ours.count > 10'000);
    CHECK(twice.ours.count > 10'000);
    CHECK(single.ours.max <= f.float_bound);
    CHECK(twice.ours.max <= f.double_bound);
  }
}

TEST_CASE("an error is measured where there is one, also where our double is asked first") {
  Function f = *FindFunction("exp");
  constexpr uint64_t kOne = 0x3f800000, kTwo = 0x40000000;
  const Report right = MeasureEveryFloat(f, kOne, kTwo, 61);
  CHECK(right.ours.max <= f.float_bound);
  CHECK(right.ours.count == kTwo - kOne);
  f.in_double = [](double x, double) { return x > 1 && x < 1.5 ? std::exp(x) * (1 + 4e-7) : std::exp(x); };
  for (const Report& report :
       {MeasureFloats(f, 0, uint64_t{1} << 32, 65521, 0), MeasureEveryFloat(f, kOne, kTwo, 61)}) {
    CHECK(report.ours.max > 3);
    CHECK(report.ours.worst[0] > 1);
    CHECK(report.ours.worst[0] < 1.5);
  }
}

}  // namespace
}  // namespace millrace::ulp
