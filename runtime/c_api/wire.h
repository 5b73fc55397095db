// The few fields of wire messages that are written and read here without a codec
// of their own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::c_api {

inline void PutVarint(std::string* out, uint64_t value) {
  for (; value >= 128; value >>= 7) out->push_back(static_cast<char>((value & 127) | 128));
  out->push_back(static_cast<char>(value));
}
inline void PutInt(std::string* out, uint32_t field, uint64_t value) {
  PutVarint(out, field << 3);
  PutVarint(out, value);
}
// Strings and messages.
inline void PutBytes(std::string* out, uint32_t field, std::string_view bytes) {
  PutVarint(out, field << 3 | 2);
  PutVarint(out, bytes.size());
  out->append(bytes);
}
// The content of the first field (number below 16) of `message`, which is a
// string or a message; "" where there is none.
inline std::string_view FirstField(std::string_view message) {
  size_t at = 1;
  uint64_t length = 0;
  for (int shift = 0; at < message.size() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(message[at++]);
    length |= static_cast<uint64_t>(byte & 127) << shift;
    if (byte < 128) return message.substr(at, length);
  }
  return {};
}

}  // namespace millrace::c_api
