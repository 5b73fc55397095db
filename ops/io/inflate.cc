#include "millrace/ops/io/inflate.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

constexpr int kMaxLength = 15;  // bits of a code word
constexpr int kFastBits = 10;   // those that one look into a table decodes
constexpr int kEndOfBlock = 256;

// What the symbols for lengths and distances stand for: a base, and more bits.
struct Range {
  uint16_t base;
  uint8_t bits;
};
constexpr Range kLengths[] = {{3, 0},   {4, 0},   {5, 0},   {6, 0},   {7, 0},  {8, 0},  {9, 0},  {10, 0},
                              {11, 1},  {13, 1},  {15, 1},  {17, 1},  {19, 2}, {23, 2}, {27, 2}, {31, 2},
                              {35, 3},  {43, 3},  {51, 3},  {59, 3},  {67, 4}, {83, 4}, {99, 4}, {115, 4},
                              {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0}};
constexpr Range kDistances[] = {{1, 0},     {2, 0},     {3, 0},     {4, 0},      {5, 1},      {7, 1},
                                {9, 2},     {13, 2},    {17, 3},    {25, 3},     {33, 4},     {49, 4},
                                {65, 5},    {97, 5},    {129, 6},   {193, 6},    {257, 7},    {385, 7},
                                {513, 8},   {769, 8},   {1025, 9},  {1537, 9},   {2049, 10},  {3073, 10},
                                {4097, 11}, {6145, 11}, {8193, 12}, {12289, 12}, {16385, 13}, {24577, 13}};
// The order in which the lengths of the code for lengths come.
constexpr uint8_t kOrder[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

// The lowest `count` bits in the other order.
uint32_t Reversed(uint32_t bits, int count) {
  uint32_t out = 0;
  for (int i = 0; i < count; ++i) out |= (bits >> i & 1) << (count - 1 - i);
  return out;
}

// Bits from the lowest of each byte up. Past the end they are 0, and failed() says so.
class Bits {
 public:
  explicit Bits(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  // The next `count` bits, up to 32, which stay.
  uint32_t Peek(int count) {
    while (held_ < count) {
      const uint64_t byte = at_ != end_ ? static_cast<unsigned char>(*at_++) : (++missing_, 0);
      word_ |= byte << held_;
      held_ += 8;
    }
    return static_cast<uint32_t>(word_ & ((uint64_t{1} << count) - 1));
  }
  void Drop(int count) {
    word_ >>= count;
    held_ -= count;
  }
  uint32_t Take(int count) {
    const uint32_t bits = Peek(count);
    Drop(count);
    return bits;
  }
  // Bits were taken that are not there; those that were only looked at do not count.
  bool failed() const { return missing_ * 8 > held_; }
  // `size` bytes from the next whole one; false where they are not there.
  bool Copy(size_t size, char* to) {
    Drop(held_ % 8);
    for (; size > 0 && held_ > 0; --size) *to++ = static_cast<char>(Take(8));
    if (failed() || static_cast<size_t>(end_ - at_) < size) return false;
    if (size > 0) std::memcpy(to, at_, size);
    at_ += size;
    return true;
  }

 private:
  const char* at_;
  const char* end_;
  uint64_t word_ = 0;
  int held_ = 0;
  int missing_ = 0;
};

// Code words in order of their lengths, then of their symbols.
class Code {
 public:
  // False where there are more words than their lengths allow. Fewer may be: a word
  // that is not there is an error where it comes.
  bool Build(std::span<const uint8_t> lengths) {
    std::array<int, kMaxLength + 1> counts = {}, next = {};
    for (const uint8_t length : lengths) ++counts[length];
    counts[0] = 0;
    uint32_t first = 0;  // of the words of a length, as if they were all kMaxLength long
    int before = 0;
    for (int length = 1; length <= kMaxLength; ++length) {
      const auto i = static_cast<size_t>(length);
      first_[i] = first;
      offset_[i] = next[i] = before;
      first += static_cast<uint32_t>(counts[i]) << (kMaxLength - length);
      before += counts[i];
      limit_[i] = first;
    }
    if (first > 1u << kMaxLength) return false;
    fast_.fill(0);
    for (size_t symbol = 0; symbol < lengths.size(); ++symbol) {
      const size_t length = lengths[symbol];
      if (length == 0) continue;
      const int position = next[length]++;
      symbols_[static_cast<size_t>(position)] = static_cast<uint16_t>(symbol);
      if (length > kFastBits) continue;
      const int bits = static_cast<int>(length);
      const uint32_t word = (first_[length] >> (kMaxLength - bits)) + static_cast<uint32_t>(position - offset_[length]);
      for (uint32_t at = Reversed(word, bits); at < fast_.size(); at += 1u << bits) {
        fast_[at] = static_cast<uint16_t>(symbol << 4 | length);
      }
    }
    return true;
  }

  // -1 where there is no such word.
  int Next(Bits& bits) const {
    const uint32_t seen = bits.Peek(kMaxLength);
    if (const uint16_t found = fast_[seen & ((1u << kFastBits) - 1)]; found != 0) {
      bits.Drop(found & 15);
      return found >> 4;
    }
    const uint32_t word = Reversed(seen, kMaxLength);
    for (int length = kFastBits + 1; length <= kMaxLength; ++length) {
      const auto i = static_cast<size_t>(length);
      if (word >= limit_[i]) continue;
      bits.Drop(length);
      return symbols_[static_cast<size_t>(offset_[i]) + ((word - first_[i]) >> (kMaxLength - length))];
    }
    return -1;
  }

 private:
  std::array<uint16_t, 1 << kFastBits> fast_;  // symbol and length; 0: a longer word, or none
  std::array<uint16_t, 288> symbols_;
  std::array<uint32_t, kMaxLength + 1> first_, limit_;
  std::array<int, kMaxLength + 1> offset_;
};

class Inflater {
 public:
  Inflater(std::string_view compressed, std::span<char> out) : bits_(compressed), out_(out) {}

  // What is wrong; null where nothing is.
  const char* Run() {
    bool last = false;
    while (!last) {
      last = bits_.Take(1) != 0;
      const char* problem = nullptr;
      switch (bits_.Take(2)) {
        case 0:
          problem = Stored();
          break;
        case 1:
          Fixed();
          problem = Words();
          break;
        case 2:
          problem = ReadCodes();
          if (problem == nullptr) problem = Words();
          break;
        default:
          problem = "a block of no kind";
      }
      if (problem != nullptr) return problem;
      if (bits_.failed()) return kShort;
    }
    return done_ == out_.size() ? nullptr : "fewer bytes than it says";
  }

 private:
  static constexpr const char* kShort = "the compressed bytes end too early";
  static constexpr const char* kMore = "more bytes than it says";

  const char* Stored() {
    char header[4];
    if (!bits_.Copy(sizeof header, header)) return kShort;
    uint16_t size, complement;
    std::memcpy(&size, header, 2);
    std::memcpy(&complement, header + 2, 2);
    if (size != static_cast<uint16_t>(~complement)) return "the size of a block is broken";
    if (size > out_.size() - done_) return kMore;
    if (!bits_.Copy(size, out_.data() + done_)) return kShort;
    done_ += size;
    return nullptr;
  }

  void Fixed() {
    std::array<uint8_t, 288> lengths;
    std::fill_n(lengths.begin(), 144, uint8_t{8});
    std::fill_n(lengths.begin() + 144, 112, uint8_t{9});
    std::fill_n(lengths.begin() + 256, 24, uint8_t{7});
    std::fill_n(lengths.begin() + 280, 8, uint8_t{8});
    literals_.Build(lengths);
    std::fill_n(lengths.begin(), 30, uint8_t{5});
    distances_.Build(std::span(lengths).first(30));
  }

  const char* ReadCodes() {
    const size_t literals = bits_.Take(5) + 257, distances = bits_.Take(5) + 1, given = bits_.Take(4) + 4;
    if (literals > 286 || distances > 30) return "a code of too many symbols";
    std::array<uint8_t, 320> lengths = {};
    for (size_t i = 0; i < given; ++i) lengths[kOrder[i]] = static_cast<uint8_t>(bits_.Take(3));
    if (!literals_.Build(std::span(lengths).first(19))) return "a code of too many words";
    lengths = {};
    for (size_t i = 0; i < literals + distances;) {
      const int symbol = literals_.Next(bits_);
      if (symbol < 0 || bits_.failed()) return "a code word that there is not";
      if (symbol < 16) {
        lengths[i++] = static_cast<uint8_t>(symbol);
        continue;
      }
      if (symbol == 16 && i == 0) return "a repetition of nothing";
      const uint8_t value = symbol == 16 ? lengths[i - 1] : 0;
      const size_t times = symbol == 16 ? 3 + bits_.Take(2) : symbol == 17 ? 3 + bits_.Take(3) : 11 + bits_.Take(7);
      if (times > literals + distances - i) return "a code of too many symbols";
      std::fill_n(lengths.begin() + static_cast<std::ptrdiff_t>(i), times, value);
      i += times;
    }
    const std::span<const uint8_t> all(lengths);
    if (!literals_.Build(all.first(literals)) || !distances_.Build(all.subspan(literals, distances))) {
      return "a code of too many words";
    }
    return nullptr;
  }

  // A block of literals and repetitions.
  const char* Words() {
    while (true) {
      const int symbol = literals_.Next(bits_);
      if (bits_.failed()) return kShort;
      if (symbol < 0) return "a code word that there is not";
      if (symbol == kEndOfBlock) return nullptr;
      if (done_ == out_.size()) return kMore;
      if (symbol < kEndOfBlock) {
        out_[done_++] = static_cast<char>(symbol);
        continue;
      }
      const auto of_length = static_cast<size_t>(symbol - kEndOfBlock - 1);
      if (of_length >= std::size(kLengths)) return "a length that there is not";
      const size_t length = kLengths[of_length].base + bits_.Take(kLengths[of_length].bits);
      const int of_distance = distances_.Next(bits_);
      if (of_distance < 0 || static_cast<size_t>(of_distance) >= std::size(kDistances)) {
        return "a distance that there is not";
      }
      const Range range = kDistances[of_distance];
      const size_t distance = range.base + bits_.Take(range.bits);
      if (distance > done_) return "a repetition of what is not there";
      if (length > out_.size() - done_) return kMore;
      char* const to = out_.data() + done_;
      // Byte by byte: it may repeat what it makes.
      for (size_t i = 0; i < length; ++i)
        to[i] = to[static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(distance)];
      done_ += length;
    }
  }

  Bits bits_;
  const std::span<char> out_;
  size_t done_ = 0;
  Code literals_, distances_;
};

}  // namespace

Status Inflate(std::string_view compressed, std::span<char> out) {
  const char* const problem = Inflater(compressed, out).Run();
  return problem == nullptr ? OkStatus() : InvalidArgument(problem);
}

}  // namespace millrace
