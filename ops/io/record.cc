#include "millrace/ops/io/record.h"

#include <immintrin.h>

#include <cstring>

#include "millrace/proto/value/strings.h"

namespace millrace {

uint32_t Crc32c(std::string_view data) {
  // The instruction is part of the x86-64-v3 floor.
  uint64_t crc = 0xffffffffu;
  size_t i = 0;
  for (; i + 8 <= data.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, data.data() + i, 8);
    crc = _mm_crc32_u64(crc, word);
  }
  auto rest = static_cast<uint32_t>(crc);
  for (; i < data.size(); ++i) rest = _mm_crc32_u8(rest, static_cast<unsigned char>(data[i]));
  return rest ^ 0xffffffffu;
}

Result<RecordReader> RecordReader::Open(const std::string& path) {
  MR_ASSIGN_OR_RETURN(Buffer bytes, Buffer::MapFile(path));
  return RecordReader(std::move(bytes));
}

Result<std::string_view> RecordReader::Next() {
  const std::string_view all(static_cast<const char*>(bytes_.data()), bytes_.size());
  const size_t left = all.size() - at_;
  uint64_t length = 0;
  if (left < 12) return DataLoss(Cat("record at offset ", at_, ": cut short inside its header"));
  std::memcpy(&length, all.data() + at_, 8);
  uint32_t crc = 0;
  std::memcpy(&crc, all.data() + at_ + 8, 4);
  if (crc != MaskedCrc32c(all.substr(at_, 8))) {
    return DataLoss(Cat("record at offset ", at_, ": the checksum of its length differs"));
  }
  if (left - 12 < 4 || length > left - 16) {
    return DataLoss(Cat("record at offset ", at_, ": ", length, " bytes expected, ", left - 12, " left"));
  }
  const std::string_view record = all.substr(at_ + 12, length);
  std::memcpy(&crc, record.data() + length, 4);
  if (crc != MaskedCrc32c(record)) return DataLoss(Cat("record at offset ", at_, ": the checksum of its data differs"));
  at_ += length + 16;
  return record;
}

void AppendRecord(std::string_view record, std::string* out) {
  const uint64_t length = record.size();
  char header[12];
  std::memcpy(header, &length, 8);
  const uint32_t length_crc = MaskedCrc32c(std::string_view(header, 8));
  std::memcpy(header + 8, &length_crc, 4);
  const uint32_t crc = MaskedCrc32c(record);
  out->append(header, 12);
  out->append(record);
  out->append(reinterpret_cast<const char*>(&crc), 4);
}

}  // namespace millrace
