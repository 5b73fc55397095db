// Any text as what graphc's options and a graph's strings take: entry points, feeds,
// shapes, dimensions, names of tensors and of devices.
#include <cstdlib>

#include "millrace/ops/graph/tensor_name.h"
#include "millrace/proto/value/device_name.h"
#include "millrace/tools/graphc/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace;  // NOLINT
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)graphc::ParseSignature(text).ok();
  (void)graphc::ParseDims({text, text}).ok();
  if (const auto numbers = graphc::ParseNumbers(text, "--shape"); numbers.ok()) {
    for (int64_t n : numbers->second) {
      if (n < 0) std::abort();
    }
  }
  if (const auto source = graphc::ParseValueSource(text, "--feed"); source.ok()) {
    if (source->name.empty() || source->file.empty()) std::abort();
  }
  if (ParseTensorName(text).node.size() > text.size()) std::abort();
  // A device that was read has a spelling that reads as the same one.
  if (const auto device = DeviceName::Parse(text); device.ok()) {
    const auto again = DeviceName::Parse(device->ToString());
    if (!again.ok() || !(*again == *device)) std::abort();
  }
  return 0;
}
