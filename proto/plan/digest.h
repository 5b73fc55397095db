// Digest: a fast 64-bit hash that tells damage from whole. No protection
// against somebody who means to deceive.
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace::plan {

// XXH3 with 64 bits.
uint64_t Digest(std::string_view bytes);

// The same over bytes that come in pieces.
class DigestStream {
 public:
  DigestStream();
  ~DigestStream();
  DigestStream(const DigestStream&) = delete;
  DigestStream& operator=(const DigestStream&) = delete;
  void Add(std::string_view bytes);
  uint64_t digest() const;

 private:
  void* state_;
};

}  // namespace millrace::plan
