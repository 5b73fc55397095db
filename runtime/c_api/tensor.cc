// TF_Tensor.
#include <cstdlib>
#include <cstring>
#include <new>

#include "millrace/runtime/c_api/internal.h"

namespace millrace::c_api {
namespace {

// A TF_Tensor with its dims behind it and `bytes` more, aligned, behind those.
TF_Tensor* NewBlock(DType dtype, std::span<const int64_t> dims, int64_t num_elements, size_t bytes) {
  constexpr size_t kOverhead = sizeof(TF_Tensor) + 2 * kBufferAlignment;
  const size_t dims_bytes = dims.size() * sizeof(int64_t);
  if (bytes > SIZE_MAX / 2) return nullptr;
  char* block = static_cast<char*>(std::malloc(kOverhead + dims_bytes + bytes));
  if (block == nullptr) return nullptr;
  TF_Tensor* tensor = new (block) TF_Tensor;
  tensor->block = block;
  int64_t* own_dims = reinterpret_cast<int64_t*>(block + sizeof(TF_Tensor));
  if (!dims.empty()) std::memcpy(own_dims, dims.data(), dims_bytes);
  const uintptr_t end = reinterpret_cast<uintptr_t>(own_dims) + dims_bytes;
  void* data = reinterpret_cast<void*>((end + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment);
  tensor->view = {data, dtype, static_cast<int>(dims.size()), own_dims, num_elements};
  tensor->bytes = bytes;
  return tensor;
}

// The elements of such a tensor, or -1 where the arguments make no sense.
int64_t CheckedElements(TF_DataType dtype, const int64_t* dims, int num_dims, size_t length) {
  const DType type = static_cast<DType>(dtype);
  if (!IsValid(type) || IsRef(type) || num_dims < 0 || num_dims > Shape::kMaxRank) return -1;
  if (num_dims > 0 && dims == nullptr) return -1;
  const std::span<const int64_t> shape(dims, static_cast<size_t>(num_dims));
  const std::optional<size_t> bytes = TensorBytes(type, shape);
  const int64_t elements = Shape(shape).NumElements().value_or(-1);
  if (!bytes || elements < 0) return -1;
  // The elements of a string tensor are the interface's own; *bytes counts ours, which are larger.
  const size_t least = type == DType::kString ? static_cast<size_t>(elements) * sizeof(TF_TString) : *bytes;
  return length < least ? -1 : elements;
}

// Lets go of what the elements are in or have; the block stays.
void ReleaseElements(TF_Tensor* tensor) {
  if (tensor->owns_strings) {
    auto* elements = static_cast<TF_TString*>(tensor->view.data);
    for (int64_t i = 0; i < tensor->view.num_elements; ++i) TF_StringDealloc(&elements[i]);
    tensor->owns_strings = false;
  }
  if (tensor->deallocator != nullptr) tensor->deallocator(tensor->view.data, tensor->bytes, tensor->deallocator_arg);
  tensor->deallocator = nullptr;
}

}  // namespace

TF_Tensor* NewOwned(DType dtype, std::span<const int64_t> dims, int64_t num_elements, size_t bytes) {
  return NewBlock(dtype, dims, num_elements, bytes);
}

TF_Tensor* NewHolding(Tensor held) {
  TF_Tensor* tensor = NewBlock(held.dtype(), held.shape().dims(), held.num_elements(), 0);
  if (tensor == nullptr) return nullptr;
  tensor->view.data = held.data();
  tensor->bytes = held.bytes();
  tensor->held = std::move(held);
  return tensor;
}

}  // namespace millrace::c_api

extern "C" {

size_t TF_DataTypeSize(TF_DataType dtype) { return millrace::ElementSize(static_cast<millrace::DType>(dtype)); }

TF_Tensor* TF_AllocateTensor(TF_DataType dtype, const int64_t* dims, int num_dims, size_t length) {
  const int64_t elements = millrace::c_api::CheckedElements(dtype, dims, num_dims, length);
  if (elements < 0) return nullptr;
  TF_Tensor* tensor = millrace::c_api::NewOwned(static_cast<millrace::DType>(dtype),
                                                {dims, static_cast<size_t>(num_dims)}, elements, length);
  // Zero bytes are an empty string.
  if (tensor != nullptr && dtype == TF_STRING) std::memset(tensor->view.data, 0, length);
  return tensor;
}

TF_Tensor* TF_NewTensor(TF_DataType dtype, const int64_t* dims, int num_dims, void* data, size_t length,
                        void (*deallocator)(void* data, size_t length, void* arg), void* deallocator_arg) {
  const int64_t elements = millrace::c_api::CheckedElements(dtype, dims, num_dims, length);
  TF_Tensor* tensor = elements < 0 || (data == nullptr && length != 0)
                          ? nullptr
                          : millrace::c_api::NewOwned(static_cast<millrace::DType>(dtype),
                                                      {dims, static_cast<size_t>(num_dims)}, elements, 0);
  if (tensor == nullptr) {
    if (deallocator != nullptr) deallocator(data, length, deallocator_arg);
    return nullptr;
  }
  tensor->view.data = data;
  tensor->bytes = length;
  tensor->deallocator = deallocator;
  tensor->deallocator_arg = deallocator_arg;
  return tensor;
}

void TF_DeleteTensor(TF_Tensor* tensor) {
  if (tensor == nullptr) return;
  millrace::c_api::ReleaseElements(tensor);
  void* block = tensor->block;
  tensor->~TF_Tensor();
  std::free(block);
}

TF_DataType TF_TensorType(const TF_Tensor* tensor) { return static_cast<TF_DataType>(tensor->view.dtype); }
int TF_NumDims(const TF_Tensor* tensor) { return tensor->view.rank; }
int64_t TF_Dim(const TF_Tensor* tensor, int dim_index) { return tensor->view.dims[dim_index]; }
int64_t TF_TensorElementCount(const TF_Tensor* tensor) { return tensor->view.num_elements; }
size_t TF_TensorByteSize(const TF_Tensor* tensor) { return tensor->bytes; }
void* TF_TensorData(const TF_Tensor* tensor) { return tensor->view.data; }

void TF_TensorBitcastFrom(const TF_Tensor* from, TF_DataType type, TF_Tensor* to, const int64_t* new_dims,
                          int num_new_dims, TF_Status* status) {
  using millrace::c_api::Set;
  const int64_t elements = millrace::c_api::CheckedElements(type, new_dims, num_new_dims, from->bytes);
  const size_t size = TF_DataTypeSize(type);
  if (elements < 0 || size == 0 || millrace::IsObject(from->view.dtype) ||
      static_cast<size_t>(elements) * size != from->view.bytes()) {
    return Set(status, millrace::InvalidArgument("bitcast: expected a type and dims of as many bytes as the tensor's"));
  }
  const millrace::Shape shape(std::span<const int64_t>(new_dims, static_cast<size_t>(num_new_dims)));
  millrace::Result<millrace::Tensor> copy =
      millrace::Tensor::New(static_cast<millrace::DType>(type), shape, millrace::HostAllocator());
  if (!copy.ok()) return Set(status, copy.status());
  if (copy->bytes() != 0) std::memcpy(copy->data(), from->view.data, copy->bytes());
  millrace::c_api::ReleaseElements(to);
  to->held = *std::move(copy);
  to->view = to->held.view();
  to->bytes = to->held.bytes();
  Set(status, millrace::OkStatus());
}

TF_Tensor* TF_TensorMaybeMove(TF_Tensor* tensor) {
  return tensor != nullptr && tensor->deallocator == nullptr ? tensor : nullptr;
}

}  // extern "C"
