// The frame of every Parse function. Internal to proto/codec.
#pragma once

#include "millrace/proto/codec/wire.h"
#include "millrace/proto/value/limits.h"

namespace millrace::codec {

// A T filled by f(reader, T*), from `bytes` within `limits`.
template <typename T, typename F>
Result<T> Parse(std::string_view what, const Bytes& bytes, const Limits& limits, F&& f) {
  if (bytes.size() > static_cast<uint64_t>(limits.file_bytes)) {
    return PastLimit(what, "file_bytes", limits.file_bytes, bytes.size());
  }
  T out;
  MR_RETURN_IF_ERROR(Guard(what, [&] {
    Context context{.owner = bytes.owner(), .in_place = true, .limits = limits};
    f(Reader(bytes.view(), &context), &out);
  }));
  return out;
}

}  // namespace millrace::codec
