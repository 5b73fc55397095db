// Any bytes as a TensorProto: written again, checked, and made a tensor.
#include <cstdlib>

#include "millrace/devices/api/tensor.h"
#include "millrace/proto/codec/tensor.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace;  // NOLINT
  constexpr uint64_t kTensorBytes = 1 << 20;
  const Result<TensorValue> value = ParseTensor(Bytes({reinterpret_cast<const char*>(data), size}, nullptr));
  if (!value.ok()) return 0;

  // What was read once reads the same again, to the byte.
  const std::string written = SerializeTensor(*value);
  const Result<TensorValue> again = ParseTensor(Bytes(written));
  if (!again.ok() || SerializeTensor(*again) != written) std::abort();
  (void)AttrValue(*value).ToString();

  if (!Validate(*value, kTensorBytes).ok()) return 0;
  const Result<Tensor> tensor = Tensor::FromValue(*value, HostAllocator());
  if (!tensor.ok()) return 0;
  // So does the tensor, by way of the wire.
  const Result<TensorValue> wire = ParseTensor(Bytes(SerializeTensor(tensor->ToValue())));
  if (!wire.ok()) std::abort();
  const Result<Tensor> back = Tensor::FromValue(*wire, HostAllocator());
  if (!back.ok() || back->shape() != tensor->shape() || back->dtype() != tensor->dtype()) std::abort();
  return 0;
}
