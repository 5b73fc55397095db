// Philox against its published test vectors, and the streams of nodes.
#include "millrace/ops/random/generate.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

using random::Philox;

// Known answers of Random123 for philox4x32-10: counter, key, result.
TEST_CASE("Philox gives its published values") {
  CHECK(Philox::At(0, 0, 0) == Philox::Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const uint64_t ones = ~uint64_t{0};
  CHECK(Philox::At(ones, ones, ones) == Philox::Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(Philox::At(0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e) ==
        Philox::Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a generator that skips is where one that draws is") {
  Philox drawing(7, 9), skipping(7, 9, 0);
  for (int i = 0; i < 5; ++i) drawing();
  skipping.Skip(5);
  CHECK(drawing() == skipping());
  // Into the upper half of the counter.
  Philox last(7, 9, ~uint64_t{0});
  last();
  CHECK(last() == Philox::At(7, 0, 10));
}

TEST_CASE("each run of a node goes on 256 blocks a value later") {
  random::RandomState state(3, 4);
  CHECK(state.Reserve(10)() == Philox::At(3, 0, 4));
  CHECK(state.Reserve(1)() == Philox::At(3, 2560, 4));
  CHECK(state.Reserve(1)() == Philox::At(3, 2816, 4));
}

TEST_CASE("unseeded nodes differ") {
  random::RandomState a(0, 0), b(0, 0);
  CHECK(a.Reserve(1)() != b.Reserve(1)());
}

TEST_CASE("truncated normal values stay within two deviations") {
  float out[4];
  for (uint64_t key = 0; key < 2000; ++key) {
    random::TruncatedNormal<float>()(Philox(key, 1), out);
    for (const float v : out) CHECK(std::abs(v) < 2);
  }
}

}  // namespace
}  // namespace millrace
