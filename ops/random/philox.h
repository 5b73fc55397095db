// Philox 4x32-10: a counter-based generator. Every 128-bit counter gives four
// 32-bit numbers, so any place of the stream is reached at once.
// (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", 2011.)
#pragma once

#include <array>
#include <cstdint>

namespace millrace::random {

class Philox {
 public:
  using Block = std::array<uint32_t, 4>;

  // The key, and the upper half of the counter.
  Philox(uint64_t key, uint64_t counter_high, uint64_t counter_low = 0)
      : key_(key), low_(counter_low), high_(counter_high) {}

  // The next four numbers.
  Block operator()() {
    const Block block = At(key_, low_, high_);
    Skip(1);
    return block;
  }
  // Moves on by that many blocks.
  void Skip(uint64_t blocks) {
    low_ += blocks;
    if (low_ < blocks) ++high_;
  }
  // A copy that many blocks ahead.
  Philox Ahead(uint64_t blocks) const {
    Philox p = *this;
    p.Skip(blocks);
    return p;
  }

  static Block At(uint64_t key, uint64_t low, uint64_t high) {
    uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
    Block c{static_cast<uint32_t>(low), static_cast<uint32_t>(low >> 32), static_cast<uint32_t>(high),
            static_cast<uint32_t>(high >> 32)};
    for (int round = 0; round < 10; ++round) {
      const uint64_t a = uint64_t{0xD2511F53} * c[0], b = uint64_t{0xCD9E8D57} * c[2];
      c = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(b),
           static_cast<uint32_t>(a >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(a)};
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    return c;
  }

 private:
  uint64_t key_, low_, high_;
};

}  // namespace millrace::random
