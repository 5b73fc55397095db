// Any bytes as an NPY file and as an NPZ archive; every element is looked at.
#include <cstdlib>

#include "millrace/ops/io/npy.h"
#include "millrace/ops/io/npz.h"

namespace {

// All bytes are there.
void Read(const millrace::Tensor& tensor) {
  const auto* const bytes = static_cast<const unsigned char*>(tensor.data());
  volatile unsigned sum = 0;
  for (size_t i = 0; i < tensor.bytes(); ++i) sum = sum + bytes[i];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace;  // NOLINT
  const Buffer bytes = Buffer::Borrow(const_cast<uint8_t*>(data), size);
  if (const Result<Tensor> array = ParseNpy(bytes, "input"); array.ok()) Read(*array);
  if (const auto arrays = ParseNpz(bytes, "input"); arrays.ok()) {
    for (const auto& [name, array] : *arrays) Read(array);
  }
  return 0;
}
