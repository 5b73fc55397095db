#include "millrace/devices/cpu/float_state.h"

#include <cfenv>

#include "millrace/tests/test.h"

namespace millrace {
namespace {

// Kept from being computed at compile time.
float Halved(float x) {
  const volatile float opaque = x;
  return opaque * 0.5f;
}

}  // namespace

TEST_CASE("Denormals are zero while the state is set, and are there again after") {
  const float least_normal = 1.17549435e-38f;
  REQUIRE(Halved(least_normal) > 0.0f);
  {
    const FlushDenormals flush;
    CHECK(Halved(least_normal) == 0.0f);  // out
    volatile float denormal = 1e-40f;
    CHECK(Halved(denormal) * 1e30f == 0.0f);
    volatile float scaled = denormal * 1e10f;  // in
    CHECK(scaled == 0.0f);
  }
  CHECK(Halved(least_normal) > 0.0f);
}

TEST_CASE("A host's rounding mode is set aside and comes back") {
  REQUIRE(std::fesetround(FE_UPWARD) == 0);
  {
    const FlushDenormals flush;
    volatile float third = 1.0f, three = 3.0f;
    CHECK(third / three == 1.0f / 3.0f);
  }
  const unsigned after = _mm_getcsr();
  std::fesetround(FE_TONEAREST);
  CHECK((after & 0x6000) == 0x4000);  // upward
}

}  // namespace millrace
