// Moving elements without knowing what they mean: one instantiation a size, and
// one for each kind of object.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "millrace/proto/value/dtype.h"

namespace millrace {
class Object;
}

namespace millrace::array {

// Words that may alias the elements they move.
using Word8 [[gnu::may_alias]] = uint8_t;
using Word16 [[gnu::may_alias]] = uint16_t;
using Word32 [[gnu::may_alias]] = uint32_t;
using Word64 [[gnu::may_alias]] = uint64_t;
struct [[gnu::may_alias]] Word128 {
  uint64_t lo, hi;
};

// Calls f.template operator()<W>() with the word type for elements of `dtype`.
template <typename F>
decltype(auto) DispatchWord(DType dtype, F&& f) {
  switch (BaseType(dtype)) {
    case DType::kString:
      return f.template operator()<std::string>();
    case DType::kResource:
    case DType::kVariant:
      return f.template operator()<std::shared_ptr<Object>>();
    default:
      break;
  }
  switch (ElementSize(dtype)) {
    case 1:
      return f.template operator()<Word8>();
    case 2:
      return f.template operator()<Word16>();
    case 4:
      return f.template operator()<Word32>();
    case 8:
      return f.template operator()<Word64>();
    default:
      return f.template operator()<Word128>();
  }
}

// Bytes of an element in memory, objects included.
inline int64_t MemorySize(DType dtype) {
  if (BaseType(dtype) == DType::kString) return sizeof(std::string);
  if (IsObject(dtype)) return sizeof(std::shared_ptr<Object>);
  return static_cast<int64_t>(ElementSize(dtype));
}
inline void* ElementAt(void* data, DType dtype, int64_t i) { return static_cast<char*>(data) + i * MemorySize(dtype); }
inline const void* ElementAt(const void* data, DType dtype, int64_t i) {
  return static_cast<const char*>(data) + i * MemorySize(dtype);
}

// `count` elements in a row, in the caller's thread. No overlap.
inline void CopySerial(DType dtype, const void* from, void* to, int64_t count) {
  if (count <= 0) return;
  if (!IsObject(dtype)) {
    std::memcpy(to, from, static_cast<size_t>(count) * ElementSize(dtype));
    return;
  }
  DispatchWord(dtype, [&]<typename W>() { std::copy_n(static_cast<const W*>(from), count, static_cast<W*>(to)); });
}

}  // namespace millrace::array
