// Any bytes as a Plan, digests not looked at, so that the validator is reached.
// What the validator accepts is loaded and run on small feeds.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>

#include "millrace/proto/plan/layout.h"
#include "millrace/proto/plan/print.h"
#include "millrace/proto/plan/reader.h"
#include "millrace/proto/plan/writer.h"
#include "millrace/runtime/executor/plan_runner.h"

namespace {

using namespace millrace;  // NOLINT

constexpr int64_t kMaxFeedElements = 4096;

// Zeros of the feed's shape, 2 for a dimension that is open.
Result<Tensor> SmallFeed(const plan::Feed& feed) {
  std::vector<int64_t> dims;
  int64_t elements = 1;
  for (int64_t d : feed.dims) {
    dims.push_back(d < 0 ? 2 : d);
    if (__builtin_mul_overflow(elements, dims.back(), &elements) || elements > kMaxFeedElements) {
      return ResourceExhausted("a large feed");
    }
  }
  MR_ASSIGN_OR_RETURN(Tensor tensor, Tensor::New(feed.dtype, Shape(dims), HostAllocator()));
  if (!IsObject(feed.dtype)) std::fill_n(static_cast<char*>(tensor.data()), tensor.bytes(), char{0});
  return tensor;
}

// Loads the plan and runs all its signatures, whatever comes of it.
void LoadAndRun(const plan::Plan& plan) {
  EnvironmentOptions options;
  options.threads = 1;
  options.memory_limit = 64 << 20;
  Result<std::unique_ptr<Runner>> runner = NewPlanRunner(plan, std::make_shared<Environment>(options));
  if (!runner.ok()) return;
  for (const plan::Signature& signature : plan.signatures) {
    Result<std::shared_ptr<Callable>> callable = (*runner)->Prepare(signature.name);
    if (!callable.ok()) continue;
    std::vector<Tensor> feeds, fetches;
    for (const plan::Feed& feed : signature.feeds) {
      Result<Tensor> tensor = SmallFeed(feed);
      if (!tensor.ok()) break;
      feeds.push_back(std::move(*tensor));
    }
    (void)(*callable)->Run(feeds, &fetches, {.timeout_ms = 200}).ok();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
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
  LoadAndRun(*read);
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
