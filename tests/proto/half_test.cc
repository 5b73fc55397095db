#include "millrace/proto/value/half.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "millrace/tests/test.h"

namespace millrace {
namespace {

// The number that `bits` stand for, by the definition of the format.
double Meaning(uint16_t bits, int exponent_bits, int mantissa_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = bits >> mantissa_bits & ((1 << exponent_bits) - 1);
  const int mantissa = bits & ((1 << mantissa_bits) - 1);
  double v;
  if (exponent == (1 << exponent_bits) - 1) {
    v = mantissa == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  } else if (exponent == 0) {
    v = std::ldexp(mantissa, 1 - bias - mantissa_bits);
  } else {
    v = std::ldexp(mantissa + (1 << mantissa_bits), exponent - bias - mantissa_bits);
  }
  return bits & 0x8000 ? -v : v;
}

struct Type {
  const char* name;
  int exponent_bits, mantissa_bits;
  float (*to_float)(uint16_t);
  uint16_t (*from_float)(float);
};
constexpr Type kTypes[] = {{"half", 5, 10, Half::ToFloat, Half::FromFloat},
                           {"bfloat16", 8, 7, BFloat16::ToFloat, BFloat16::FromFloat}};

bool SameBits(float a, float b) { return std::memcmp(&a, &b, sizeof(a)) == 0; }

TEST_CASE("every half and bfloat16 is the float that its bits mean, and comes back from it") {
  for (const Type& t : kTypes) {
    INFO(t.name);
    int wrong = 0;
    for (uint32_t bits = 0; bits < 65536; ++bits) {
      const auto b = static_cast<uint16_t>(bits);
      const double meaning = Meaning(b, t.exponent_bits, t.mantissa_bits);
      const float f = t.to_float(b);
      if (std::isnan(meaning)) {
        wrong += !std::isnan(f) || !std::isnan(t.to_float(t.from_float(f)));
      } else {
        wrong += !SameBits(f, static_cast<float>(meaning)) || t.from_float(f) != b;
      }
    }
    CHECK(wrong == 0);
  }
}

// Rounding is monotonic, so what happens at and beside every midpoint between
// two neighbours decides it for all floats.
TEST_CASE("floats round to the nearest half and bfloat16, ties to even, at every boundary") {
  for (const Type& t : kTypes) {
    INFO(t.name);
    const uint32_t infinity = static_cast<uint32_t>((1 << t.exponent_bits) - 1) << t.mantissa_bits;
    int wrong = 0;
    for (uint32_t bits = 0; bits < infinity; ++bits) {
      const double low = Meaning(static_cast<uint16_t>(bits), t.exponent_bits, t.mantissa_bits);
      // The step past the largest number is as wide as the one before it.
      const double high = bits + 1 < infinity
                              ? Meaning(static_cast<uint16_t>(bits + 1), t.exponent_bits, t.mantissa_bits)
                              : 2 * low - Meaning(static_cast<uint16_t>(bits - 1), t.exponent_bits, t.mantissa_bits);
      const auto middle = static_cast<float>((low + high) / 2);
      REQUIRE(static_cast<double>(middle) == (low + high) / 2);
      for (uint32_t sign : {0u, 0x8000u}) {
        const auto round = [&](float f) { return t.from_float(sign != 0 ? -f : f); };
        wrong += round(std::nextafter(middle, 0.0f)) != (bits | sign);
        wrong += round(std::nextafter(middle, std::numeric_limits<float>::infinity())) != ((bits + 1) | sign);
        wrong += round(middle) != (((bits & 1) == 0 ? bits : bits + 1) | sign);
      }
    }
    CHECK(wrong == 0);
    CHECK(t.from_float(std::numeric_limits<float>::max()) == infinity);
    CHECK(t.from_float(-std::numeric_limits<float>::infinity()) == (infinity | 0x8000));
  }
}

TEST_CASE("every NaN stays a NaN as half and bfloat16") {
  for (const Type& t : kTypes) {
    int wrong = 0;
    for (uint32_t mantissa = 1; mantissa < 0x800000; mantissa += 61) {
      for (uint32_t sign : {0u, 0x80000000u}) {
        const auto f = std::bit_cast<float>(sign | 0x7f800000u | mantissa);
        wrong += !std::isnan(t.to_float(t.from_float(f)));
      }
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("halves compare as the numbers they are") {
  CHECK(Half(0.0f) == Half(-0.0f));
  CHECK(!(Half(std::nanf("")) == Half(std::nanf(""))));
  CHECK(!(BFloat16(1.0f) == BFloat16(1.0078125f)));
}

}  // namespace
}  // namespace millrace
