#include "millrace/ops/io/inflate.h"

#define ZLIB_CONST  // what is read is const
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "millrace/proto/value/strings.h"

namespace millrace {

Status Inflate(std::string_view compressed, std::span<char> out) {
  z_stream z = {};
  // Negative: without the header and the checksum that zlib's own format has.
  if (inflateInit2(&z, -MAX_WBITS) != Z_OK) return ResourceExhausted("no memory to inflate with");
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> end(&z, inflateEnd);

  constexpr size_t kMostAtOnce = std::numeric_limits<uInt>::max();
  size_t read = 0, done = 0;
  while (true) {
    const auto ahead = static_cast<uInt>(std::min(compressed.size() - read, kMostAtOnce));
    const auto room = static_cast<uInt>(std::min(out.size() - done, kMostAtOnce));
    // Where `out` is full, one byte beside it: the end of the last block needs none.
    Bytef beyond = 0;
    z.next_in = reinterpret_cast<const Bytef*>(compressed.data()) + read;
    z.avail_in = ahead;
    z.next_out = room > 0 ? reinterpret_cast<Bytef*>(out.data()) + done : &beyond;
    z.avail_out = std::max(room, uInt{1});
    const int code = inflate(&z, Z_NO_FLUSH);
    if (room == 0 && z.avail_out == 0) {
      return InvalidArgument(Cat("more bytes than it says: expected ", out.size()));
    }
    read += ahead - z.avail_in;
    if (room > 0) done += room - z.avail_out;
    switch (code) {
      case Z_OK:
        break;
      case Z_STREAM_END:
        if (done == out.size()) return OkStatus();
        return InvalidArgument(Cat("fewer bytes than it says: expected ", out.size(), ", found ", done));
      case Z_BUF_ERROR:  // nothing was done, and there was room
        return InvalidArgument(Cat("the compressed bytes end too early, after ", done, " of ", out.size(), " bytes"));
      case Z_MEM_ERROR:
        return ResourceExhausted("no memory to inflate with");
      default:
        return InvalidArgument(Cat("the compressed bytes are broken before byte ", read, ": ",
                                   z.msg != nullptr ? z.msg : "no reason given"));
    }
  }
}

}  // namespace millrace
