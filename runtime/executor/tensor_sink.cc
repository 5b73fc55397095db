#include "millrace/runtime/executor/tensor_sink.h"

#include "millrace/ops/array/move.h"

namespace millrace {

Status TensorSink::Place(size_t i, DType dtype, std::span<const int64_t> dims, void** data) {
  MR_ASSIGN_OR_RETURN(out_[i], Tensor::New(dtype, Shape(dims), allocator_));
  *data = out_[i].data();
  return OkStatus();
}

Status TensorSink::Take(size_t i, Tensor tensor, bool exclusive) {
  // Objects may stand in the run's own memory.
  if (exclusive || (!shared_.empty() && shared_[i] && !IsObject(tensor.dtype()))) {
    out_[i] = std::move(tensor);
    return OkStatus();
  }
  MR_ASSIGN_OR_RETURN(out_[i], Tensor::New(tensor.dtype(), tensor.shape(), allocator_));
  array::CopySerial(tensor.dtype(), tensor.data(), out_[i].data(), tensor.num_elements());
  return OkStatus();
}

}  // namespace millrace
