// Any bytes as a Plan, digests not looked at, so that the validator is reached.
#include <cstdlib>

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
