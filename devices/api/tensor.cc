#include "millrace/devices/api/tensor.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

static_assert(sizeof(std::string) <= 32 && sizeof(ObjectRef) <= 32);  // kMostElements

size_t ObjectSize(DType dtype) { return BaseType(dtype) == DType::kString ? sizeof(std::string) : sizeof(ObjectRef); }

// Bytes that an element takes in memory, for plain elements and objects alike.
size_t MemorySize(DType dtype) { return IsObject(dtype) ? ObjectSize(dtype) : ElementSize(dtype); }

// What one tensor from the wire may take: a few bytes there can stand for a
// shape of any size.
uint64_t MostBytes(Allocator& allocator) {
  const uint64_t limit = allocator.stats().limit_bytes;
  const auto physical = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return limit == 0 ? physical : std::min(limit, physical);
}

bool IsAligned(const void* data, DType dtype) {
  // A complex number is as strictly aligned as its parts; no part has more than
  // eight bytes.
  const size_t size = std::min<size_t>(ElementSize(dtype) / (IsComplex(dtype) ? 2 : 1), 8);
  return reinterpret_cast<uintptr_t>(data) % size == 0;
}

// The wire may have any byte for a bool, C++ only 0 and 1.
bool HasOddBool(std::string_view bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) > 1; });
}

template <typename T>
Result<Buffer> MakeObjects(int64_t count, Allocator& allocator) {
  MR_ASSIGN_OR_RETURN(Buffer memory, allocator.Allocate(static_cast<size_t>(count) * sizeof(T)));
  T* const first = static_cast<T*>(memory.data());
  std::uninitialized_value_construct_n(first, count);
  const size_t size = memory.size();
  std::shared_ptr<void> owner(
      first, [memory = std::move(memory), count](void* p) { std::destroy_n(static_cast<T*>(p), count); });
  return Buffer(std::move(owner), first, size);
}

}  // namespace

std::optional<size_t> TensorBytes(DType dtype, std::span<const int64_t> dims) {
  const std::optional<int64_t> elements = ElementCount(dims);
  if (!elements) return std::nullopt;
  return static_cast<size_t>(*elements) * MemorySize(dtype);
}

Result<Buffer> NewObjects(DType dtype, int64_t count, Allocator& allocator) {
  const std::optional<size_t> bytes = TensorBytes(dtype, std::span<const int64_t>(&count, 1));
  if (!IsObject(dtype) || !bytes) {
    return InvalidArgument(Cat("cannot make ", count, " objects of type ", DTypeName(dtype)));
  }
  return BaseType(dtype) == DType::kString ? MakeObjects<std::string>(count, allocator)
                                           : MakeObjects<ObjectRef>(count, allocator);
}

Tensor::Tensor(DType dtype, Shape shape, Buffer buffer)
    : dtype_(dtype),
      shape_(std::move(shape)),
      num_elements_(shape_.NumElements().value_or(0)),
      buffer_(std::move(buffer)) {}

Result<Tensor> Tensor::New(DType dtype, const Shape& shape, Allocator& allocator) {
  if (!IsValid(dtype)) return InvalidArgument(Cat("no tensor has the type ", DTypeName(dtype)));
  if (!shape.IsFullyKnown()) {
    return InvalidArgument(Cat("shape ", shape.ToString(), ": expected every dimension to be known"));
  }
  const std::optional<size_t> bytes = TensorBytes(dtype, shape.dims());
  if (!bytes) {
    return InvalidArgument(
        Cat("a ", DTypeName(dtype), " tensor of shape ", shape.ToString(), " does not fit into memory"));
  }
  if (IsObject(dtype)) {
    MR_ASSIGN_OR_RETURN(Buffer objects, NewObjects(dtype, shape.NumElements().value_or(0), allocator));
    return Tensor(dtype, shape, std::move(objects));
  }
  MR_ASSIGN_OR_RETURN(Buffer buffer, allocator.Allocate(*bytes));
  return Tensor(dtype, shape, std::move(buffer));
}

Result<Tensor> Tensor::FromValue(const TensorValue& value, Allocator& allocator) {
  const uint64_t most = MostBytes(allocator);
  MR_RETURN_IF_ERROR(Validate(value, most));
  const DType dtype = BaseType(value.dtype);
  if (dtype == DType::kString) {
    MR_ASSIGN_OR_RETURN(Tensor out, New(dtype, value.shape, allocator));
    MR_ASSIGN_OR_RETURN(std::vector<std::string> strings, DenseStrings(value, most));
    std::move(strings.begin(), strings.end(), static_cast<std::string*>(out.data()));
    return out;
  }
  if (IsObject(dtype)) {
    return InvalidArgument(Cat("a tensor of type ", DTypeName(dtype), " has no elements on the wire"));
  }
  MR_ASSIGN_OR_RETURN(Bytes bytes, DenseBytes(value, most));
  const bool odd_bool = dtype == DType::kBool && HasOddBool(bytes.view());
  // Without an owner the bytes are only lent for this call.
  if (bytes.owner() != nullptr && !odd_bool && IsAligned(bytes.data(), dtype)) {
    std::shared_ptr<void> owner(std::const_pointer_cast<void>(bytes.owner()));
    return Tensor(dtype, value.shape, Buffer(std::move(owner), const_cast<char*>(bytes.data()), bytes.size()));
  }
  MR_ASSIGN_OR_RETURN(Tensor out, New(dtype, value.shape, allocator));
  if (odd_bool) {
    std::transform(bytes.view().begin(), bytes.view().end(), static_cast<bool*>(out.data()),
                   [](char c) { return c != 0; });
  } else if (!bytes.empty()) {
    std::memcpy(out.data(), bytes.data(), bytes.size());
  }
  return out;
}

TensorValue Tensor::ToValue() const {
  TensorValue value;
  value.dtype = dtype_;
  value.shape = shape_;
  if (BaseType(dtype_) == DType::kString) {
    const std::span<std::string> strings = elements<std::string>();
    value.string_val.assign(strings.begin(), strings.end());
  } else if (!IsObject(dtype_)) {
    value.content = Bytes(std::string_view(static_cast<const char*>(data()), bytes()), buffer_.owner());
  }
  return value;
}

}  // namespace millrace
