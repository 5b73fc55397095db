// Record files: length, masked checksum, bytes, masked checksum; what TFRecord
// and event files are made of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "millrace/devices/api/buffer.h"
#include "millrace/proto/value/status.h"

namespace millrace {

// CRC-32C (Castagnoli) of `data`, and the form that record files store.
uint32_t Crc32c(std::string_view data);
inline uint32_t MaskedCrc32c(std::string_view data) {
  const uint32_t crc = Crc32c(data);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

// Reads records one after the other from bytes that it keeps alive.
class RecordReader {
 public:
  // NotFound where the file cannot be read.
  static Result<RecordReader> Open(const std::string& path);
  explicit RecordReader(Buffer bytes) : bytes_(std::move(bytes)) {}

  bool done() const { return at_ == bytes_.size(); }
  // The next record, a view into the file, valid as long as the reader's bytes.
  // DataLoss with the offset where it is cut short or a checksum differs.
  Result<std::string_view> Next();

 private:
  Buffer bytes_;
  size_t at_ = 0;
};

// Appends `record` in that framing to `out`.
void AppendRecord(std::string_view record, std::string* out);

}  // namespace millrace
