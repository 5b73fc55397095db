// DLPack: tensors in and out of other libraries, without a copy. The structures have
// the layout and the numbers that are published for DLPack 0.x (ManagedTensor) and 1.x
// (ManagedTensorVersioned), under names of our own, so that a program may have that
// library's header too; a pointer to one kind is a pointer to the other
// (reinterpret_cast).
#pragma once

#include <cstdint>

#include "millrace/devices/api/tensor.h"

namespace millrace::dlpack {

enum DeviceType : int32_t { kCpu = 1, kCuda = 2, kCudaHost = 3 };
struct Device {
  int32_t type;  // a DeviceType; there are others
  int32_t id;
};

enum TypeCode : uint8_t {
  kInt = 0,
  kUInt = 1,
  kFloat = 2,
  kOpaque = 3,
  kBFloat = 4,
  kComplex = 5,
  kBool = 6,
};
struct DataType {
  uint8_t code;  // a TypeCode; there are others
  uint8_t bits;  // of a lane
  uint16_t lanes;
};

struct TensorInfo {
  void* data;
  Device device;
  int32_t ndim;
  DataType dtype;
  int64_t* shape;
  int64_t* strides;  // in elements; null: row-major and dense
  uint64_t byte_offset;
};

struct ManagedTensor {
  TensorInfo info;
  void* context;
  void (*deleter)(ManagedTensor* self);  // null: nobody frees it
};

struct Version {
  uint32_t major, minor;
};
inline constexpr uint64_t kReadOnly = 1;  // of the flags
struct ManagedTensorVersioned {
  Version version;
  void* context;
  void (*deleter)(ManagedTensorVersioned* self);
  uint64_t flags;
  TensorInfo info;
};

}  // namespace millrace::dlpack

namespace millrace {

// A tensor over the memory of `tensor`, which it takes over: the deleter is called
// when the last copy of the Tensor goes, on whatever thread that happens. Nothing is
// copied, so the memory must be dense, row-major, aligned for its elements and the
// host's. On an error nothing is taken over: InvalidArgument says what is wrong,
// Unimplemented names a device or a type that is not there. Runs only read what they
// are fed, so memory that is read-only may be fed; it must not be an output.
Result<Tensor> FromDLPack(dlpack::ManagedTensor* tensor);
// The same; Unimplemented for another major version than 1.
Result<Tensor> FromDLPack(dlpack::ManagedTensorVersioned* tensor);

// The other way: shares the memory of `tensor` until the receiver calls the deleter.
// InvalidArgument for types that DLPack has no word for (strings, resources, variants,
// quantized ones). Memory that others hold too is not to be written; the version
// with flags says so.
Result<dlpack::ManagedTensor*> ToDLPack(const Tensor& tensor);
Result<dlpack::ManagedTensorVersioned*> ToDLPackVersioned(const Tensor& tensor);

}  // namespace millrace
