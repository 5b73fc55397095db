// The frame of every Parse function. Internal to proto/codec.
#pragma once

#include "millrace/proto/codec/options.h"
#include "millrace/proto/codec/wire.h"

namespace millrace::codec {

// A T filled by f(reader, T*), from `bytes` within `options`.
template <typename T, typename F>
Result<T> Parse(std::string_view what, const Bytes& bytes, const ParseOptions& options, F&& f) {
  if (bytes.size() > options.max_bytes) {
    return ResourceExhausted(Cat(what, ": ", bytes.size(), " bytes pass the limit of ", options.max_bytes));
  }
  T out;
  MR_RETURN_IF_ERROR(Guard(what, [&] {
    Context context{
        .owner = bytes.owner(), .in_place = true, .max_depth = options.max_depth, .max_nodes = options.max_nodes};
    f(Reader(bytes.view(), &context), &out);
  }));
  return out;
}

}  // namespace millrace::codec
