// Distributions over Philox blocks, one group of results at a time. Which bits
// make which number is the reference framework's, so that seeded graphs give
// its values. A distribution D is a struct with
//   T         the element type
//   kGroup    results a group
//   kBlocks   Philox blocks from one group to the next
//   void operator()(Philox gen, T* out) const    one group; `gen` is at its first block
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <type_traits>

#include "millrace/ops/random/philox.h"
#include "millrace/proto/value/half.h"

namespace millrace::random {

// [0, 1): the mantissa's bits of a number in [1, 2), less 1.
inline float UnitFloat(uint32_t x) { return std::bit_cast<float>((x & 0x7fffffu) | 0x3f800000u) - 1.0f; }
inline double UnitDouble(uint32_t high, uint32_t low) {
  const uint64_t mantissa = (static_cast<uint64_t>(high & 0xfffffu) << 32) | low;
  return std::bit_cast<double>(mantissa | (uint64_t{1023} << 52)) - 1.0;
}
inline Half UnitHalf(uint32_t x) {
  return Half(static_cast<float>(Half::FromBits(static_cast<uint16_t>((x & 0x3ffu) | (15u << 10)))) - 1.0f);
}
inline BFloat16 UnitBfloat16(uint32_t x) {
  return BFloat16(static_cast<float>(BFloat16::FromBits(static_cast<uint16_t>((x & 0x7fu) | (127u << 7)))) - 1.0f);
}

template <typename Element>
struct Uniform {
  using T = Element;
  static constexpr int kGroup = std::is_same_v<T, double> ? 2 : 4;
  static constexpr int kBlocks = 1;
  void operator()(Philox gen, T* out) const {
    const Philox::Block b = gen();
    if constexpr (std::is_same_v<T, double>) {
      for (size_t i = 0; i < 2; ++i) out[i] = UnitDouble(b[2 * i], b[2 * i + 1]);
    } else {
      for (size_t i = 0; i < 4; ++i) {
        if constexpr (std::is_same_v<T, float>) out[i] = UnitFloat(b[i]);
        else if constexpr (std::is_same_v<T, Half>) out[i] = UnitHalf(b[i]);
        else out[i] = UnitBfloat16(b[i]);
      }
    }
  }
};

// [low, low + range).
template <typename Element>
struct UniformInt {
  using T = Element;
  using U = std::make_unsigned_t<T>;
  static constexpr int kGroup = sizeof(T) == 8 ? 2 : 4;
  static constexpr int kBlocks = 1;
  T low;
  U range;
  void operator()(Philox gen, T* out) const {
    const Philox::Block b = gen();
    for (size_t i = 0; i < kGroup; ++i) {
      U bits;
      if constexpr (sizeof(T) == 8) bits = b[2 * i] | static_cast<uint64_t>(b[2 * i + 1]) << 32;
      else bits = b[i];
      out[i] = static_cast<T>(static_cast<U>(low) + bits % range);
    }
  }
};

// All bits.
template <typename Element>
struct UniformBits {
  using T = Element;
  static constexpr int kGroup = sizeof(T) == 8 ? 2 : 4;
  static constexpr int kBlocks = 1;
  void operator()(Philox gen, T* out) const {
    const Philox::Block b = gen();
    for (size_t i = 0; i < kGroup; ++i) {
      if constexpr (sizeof(T) == 8) out[i] = b[2 * i] | static_cast<uint64_t>(b[2 * i + 1]) << 32;
      else out[i] = b[i];
    }
  }
};

// Two independent normal values from two uniform ones (Box and Muller).
inline void NormalPair(uint32_t x, uint32_t y, float out[2]) {
  const float u = std::max(UnitFloat(x), 1.0e-7f);
  const float angle = static_cast<float>(2.0 * std::numbers::pi * static_cast<double>(UnitFloat(y)));
  const float radius = std::sqrt(-2.0f * std::log(u));
  out[0] = std::sin(angle) * radius;
  out[1] = std::cos(angle) * radius;
}
inline void NormalPair(const uint32_t x[4], double out[2]) {
  const double u = std::max(UnitDouble(x[0], x[1]), 1.0e-7);
  const double angle = 2.0 * std::numbers::pi * UnitDouble(x[2], x[3]);
  const double radius = std::sqrt(-2.0 * std::log(u));
  out[0] = std::sin(angle) * radius;
  out[1] = std::cos(angle) * radius;
}

template <typename Element>
struct Normal {
  using T = Element;
  static constexpr int kGroup = std::is_same_v<T, double> ? 2 : 4;
  static constexpr int kBlocks = 1;
  void operator()(Philox gen, T* out) const {
    const Philox::Block b = gen();
    if constexpr (std::is_same_v<T, double>) {
      NormalPair(b.data(), out);
    } else {
      for (size_t i = 0; i < 4; i += 2) {
        float pair[2];
        NormalPair(b[i], b[i + 1], pair);
        out[i] = static_cast<T>(pair[0]);
        out[i + 1] = static_cast<T>(pair[1]);
      }
    }
  }
};

// Normal values within two standard deviations: others are drawn again, so a
// group may use many blocks; it has 64 for each result.
template <typename Element>
struct TruncatedNormal {
  using T = Element;
  static constexpr int kGroup = std::is_same_v<T, double> ? 2 : 4;
  static constexpr int kBlocks = kGroup * 64;
  void operator()(Philox gen, T* out) const {
    constexpr int kDraw = std::is_same_v<T, double> ? 4 : 2;
    int count = 0;
    for (;;) {
      const Philox::Block b = gen();
      for (size_t i = 0; i < 4; i += kDraw) {
        std::conditional_t<std::is_same_v<T, double>, double, float> pair[2];
        if constexpr (std::is_same_v<T, double>) NormalPair(b.data(), pair);
        else NormalPair(b[i], b[i + 1], pair);
        for (const auto v : pair) {
          if (std::abs(v) >= 2) continue;
          out[count++] = static_cast<T>(v);
          if (count == kGroup) return;
        }
      }
    }
  }
};

}  // namespace millrace::random
