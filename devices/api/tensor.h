// Tensor: dtype, shape and memory. TensorView: the same without ownership, which
// is what kernels see.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "millrace/devices/api/allocator.h"
#include "millrace/devices/api/buffer.h"
#include "millrace/proto/value/dtype.h"
#include "millrace/proto/value/shape.h"
#include "millrace/proto/value/tensor_value.h"

namespace millrace {

// An element of a resource or variant tensor. What it points to is the ops'
// business: they made it and cast it back.
using ObjectRef = std::shared_ptr<void>;

// A dense row-major tensor that somebody else owns. Cheap to copy. The elements
// of a string tensor are std::string; those of resource and variant tensors are
// ObjectRef.
struct TensorView {
  void* data = nullptr;
  DType dtype = DType::kInvalid;
  int rank = 0;
  const int64_t* dims = nullptr;
  int64_t num_elements = 0;

  std::span<const int64_t> shape() const { return {dims, static_cast<size_t>(rank)}; }
  int64_t dim(int i) const { return dims[i]; }
  size_t bytes() const { return static_cast<size_t>(num_elements) * ElementSize(dtype); }
  // The caller has checked the dtype.
  template <typename T>
  T* as() const {
    return static_cast<T*>(data);
  }
  template <typename T>
  std::span<T> elements() const {
    return {static_cast<T*>(data), static_cast<size_t>(num_elements)};
  }
  // The first element: for scalars.
  template <typename T>
  const T& scalar() const {
    return *static_cast<const T*>(data);
  }
};

// The process-wide allocator of host memory, without a limit.
Allocator& HostAllocator();

// An owning tensor with a fully known shape. Copies share the memory. Data may
// be in host memory or on a device; these calls are for host tensors.
class Tensor {
 public:
  Tensor() = default;
  // `buffer` holds at least the elements; for object types it was made by
  // NewObjects.
  Tensor(DType dtype, Shape shape, Buffer buffer);

  // A new tensor: plain elements uninitialised, strings empty. The shape is
  // fully known; ResourceExhausted where memory is short, InvalidArgument where
  // the size overflows.
  static Result<Tensor> New(DType dtype, const Shape& shape, Allocator& allocator);
  // For tests and small hosts: of the process-wide host allocator; the number
  // of values equals the shape's elements.
  template <typename T>
  static Tensor Of(const Shape& shape, const std::vector<T>& values);
  template <typename T>
  static Tensor Scalar(T value) {
    return Of<T>(Shape(), {std::move(value)});
  }
  // From and to the wire form. FromValue shares `value`'s content where that is
  // owned and aligned for the element type, else copies: such a tensor is not to
  // be written. A reference dtype becomes its base. InvalidArgument where the
  // value is malformed or has no elements on the wire (resources, variants),
  // ResourceExhausted where memory is short. ToValue shares the memory of plain
  // elements.
  static Result<Tensor> FromValue(const TensorValue& value, Allocator& allocator);
  TensorValue ToValue() const;

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t num_elements() const { return num_elements_; }
  size_t bytes() const { return static_cast<size_t>(num_elements_) * ElementSize(dtype_); }
  void* data() const { return buffer_.data(); }
  const Buffer& buffer() const { return buffer_; }
  bool valid() const { return dtype_ != DType::kInvalid; }
  template <typename T>
  std::span<T> elements() const {
    return {static_cast<T*>(buffer_.data()), static_cast<size_t>(num_elements_)};
  }
  // Valid as long as this Tensor stays where it is.
  TensorView view() const { return {buffer_.data(), dtype_, shape_.rank(), shape_.dims().data(), num_elements_}; }
  // The same elements under another shape with as many of them.
  Tensor Reshaped(Shape shape) const { return Tensor(dtype_, std::move(shape), buffer_); }

 private:
  DType dtype_ = DType::kInvalid;
  Shape shape_;
  int64_t num_elements_ = 0;
  Buffer buffer_;
};

// Memory for `count` default-made objects of an object dtype; they are destroyed
// with the buffer.
Result<Buffer> NewObjects(DType dtype, int64_t count, Allocator& allocator);

// Bytes of a tensor of that dtype and dims: nothing where ElementCount has none.
// Object types count their in-memory size.
std::optional<size_t> TensorBytes(DType dtype, std::span<const int64_t> dims);

template <typename T>
Tensor Tensor::Of(const Shape& shape, const std::vector<T>& values) {
  Result<Tensor> t = New(kDTypeOf<T>, shape, HostAllocator());
  if (!t.ok()) return Tensor();
  T* out = static_cast<T*>(t->data());
  for (size_t i = 0; i < values.size(); ++i) out[i] = values[i];
  return *t;
}

}  // namespace millrace
