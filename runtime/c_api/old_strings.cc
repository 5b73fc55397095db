// Strings as they were before 2.4: a varint with the length, then the bytes.
#include <cstring>

#include "millrace/proto/value/strings.h"
#include "millrace/runtime/c_api/internal.h"

using millrace::Cat;
using millrace::InvalidArgument;
using millrace::c_api::Set;

extern "C" {

size_t TF_StringEncodedSize(size_t len) {
  size_t prefix = 1;
  for (size_t rest = len >> 7; rest != 0; rest >>= 7) ++prefix;
  return prefix + len;
}

size_t TF_StringEncode(const char* src, size_t src_len, char* dst, size_t dst_len, TF_Status* status) {
  const size_t size = TF_StringEncodedSize(src_len);
  if (size > dst_len) {
    Set(status, InvalidArgument(Cat("encoded string: expected room for ", size, " bytes, found ", dst_len)));
    return 0;
  }
  size_t rest = src_len;
  for (; rest >= 128; rest >>= 7) *dst++ = static_cast<char>((rest & 127) | 128);
  *dst++ = static_cast<char>(rest);
  if (src_len != 0) std::memcpy(dst, src, src_len);
  Set(status, millrace::OkStatus());
  return size;
}

size_t TF_StringDecode(const char* src, size_t src_len, const char** dst, size_t* dst_len, TF_Status* status) {
  uint64_t length = 0;
  size_t at = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (at == src_len) break;
    const auto byte = static_cast<unsigned char>(src[at++]);
    length |= static_cast<uint64_t>(byte & 127) << shift;
    if (byte >= 128) continue;
    if (length > src_len - at) break;
    *dst = src + at;
    *dst_len = length;
    Set(status, millrace::OkStatus());
    return at + length;
  }
  Set(status, InvalidArgument(Cat("encoded string: expected a length and as many bytes, found ", src_len, " bytes")));
  return 0;
}

}  // extern "C"
