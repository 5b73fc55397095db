// Any bytes as a Plan, digests not looked at, so that the validator is reached.
#include <cstdlib>
#include <cstring>
#include <random>

#include "millrace/proto/plan/layout.h"
#include "millrace/proto/plan/print.h"
#include "millrace/proto/plan/reader.h"
#include "millrace/proto/plan/writer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace;  // NOLINT
  const Bytes bytes({reinterpret_cast<const char*>(data), size}, nullptr);
  (void)plan::Read(bytes).ok();
  const Result<plan::Plan> read = plan::Read(bytes, {.check_digests = false});
  if (!read.ok()) return 0;
  (void)plan::Print(*read);

  // A plan that was accepted can be written, and is accepted again as it is.
  const Result<std::string> written = plan::Write(*read);
  if (!written.ok()) std::abort();
  const Result<plan::Plan> again = plan::Read(Bytes(*written));
  if (!again.ok() || *plan::Write(*again) != *written) std::abort();
  return 0;
}

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

// Half of the time the usual changes, which mostly break the outer form; else one
// number of one section becomes another small one, which leaves it whole.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed) {
  namespace layout = millrace::plan::layout;
  std::minstd_rand random(seed);
  if (size < layout::kFirstSection || random() % 2 == 0) return LLVMFuzzerMutate(data, size, max_size);
  layout::SectionEntry entry;
  const uint32_t section = static_cast<uint32_t>(random() % layout::kSections);
  std::memcpy(&entry, data + sizeof(layout::Header) + section * sizeof(entry), sizeof(entry));
  if (entry.offset > size || entry.size > size - entry.offset || entry.size < sizeof(uint32_t)) return size;
  const uint64_t word = random() % (entry.size / sizeof(uint32_t));
  uint32_t value = static_cast<uint32_t>(random() % 16);
  if (random() % 8 == 0) value = 0u - value;
  std::memcpy(data + entry.offset + word * sizeof(uint32_t), &value, sizeof(value));
  return size;
}
