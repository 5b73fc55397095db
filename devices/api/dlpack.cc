#include "millrace/devices/api/dlpack.h"

#include <algorithm>
#include <new>

#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using dlpack::TensorInfo;

struct TypeName {
  DType dtype;
  dlpack::DataType type;
};
constexpr TypeName kTypes[] = {
    {DType::kFloat, {dlpack::kFloat, 32, 1}},       {DType::kDouble, {dlpack::kFloat, 64, 1}},
    {DType::kHalf, {dlpack::kFloat, 16, 1}},        {DType::kBfloat16, {dlpack::kBFloat, 16, 1}},
    {DType::kInt8, {dlpack::kInt, 8, 1}},           {DType::kInt16, {dlpack::kInt, 16, 1}},
    {DType::kInt32, {dlpack::kInt, 32, 1}},         {DType::kInt64, {dlpack::kInt, 64, 1}},
    {DType::kUint8, {dlpack::kUInt, 8, 1}},         {DType::kUint16, {dlpack::kUInt, 16, 1}},
    {DType::kUint32, {dlpack::kUInt, 32, 1}},       {DType::kUint64, {dlpack::kUInt, 64, 1}},
    {DType::kComplex64, {dlpack::kComplex, 64, 1}}, {DType::kComplex128, {dlpack::kComplex, 128, 1}},
    {DType::kBool, {dlpack::kBool, 8, 1}},
};

Result<DType> TypeOf(const dlpack::DataType& type) {
  for (const TypeName& known : kTypes) {
    if (known.type.code == type.code && known.type.bits == type.bits && type.lanes == 1) return known.dtype;
  }
  return Unimplemented(Cat("DLPack: expected a type that there is here, found code ", int{type.code}, " of ",
                           int{type.bits}, " bits in ", int{type.lanes}, " lanes"));
}

// That the strides are those of dense rows; where an extent is 1 or there is no
// element they do not matter.
Status CheckDense(const TensorInfo& info, const Shape& shape) {
  if (info.strides == nullptr || shape.NumElements().value_or(0) == 0) return OkStatus();
  int64_t expected = 1;
  for (int i = info.ndim - 1; i >= 0; --i) {
    if (shape.dims()[static_cast<size_t>(i)] != 1 && info.strides[i] != expected) {
      return InvalidArgument(
          Cat("DLPack: dimension ", i, ": expected stride ", expected, " of dense rows, found ", info.strides[i]));
    }
    expected *= shape.dims()[static_cast<size_t>(i)];
  }
  return OkStatus();
}

// The tensor without an owner.
struct Described {
  DType dtype;
  Shape shape;
  void* data;
  size_t bytes;
};
Result<Described> Describe(const TensorInfo& info) {
  if (info.device.type != dlpack::kCpu && info.device.type != dlpack::kCudaHost) {
    return Unimplemented(Cat("DLPack: expected host memory, found a device of type ", info.device.type));
  }
  if (info.ndim < 0 || info.ndim > Shape::kMaxRank || (info.ndim > 0 && info.shape == nullptr)) {
    return InvalidArgument(Cat("DLPack: expected 0 to ", Shape::kMaxRank, " dimensions, found ",
                               info.ndim > 0 && info.shape == nullptr ? "no shape" : Cat(info.ndim)));
  }
  MR_ASSIGN_OR_RETURN(const DType dtype, TypeOf(info.dtype));
  const std::span<const int64_t> dims(info.shape, static_cast<size_t>(info.ndim));
  for (const int64_t& extent : dims) {
    if (extent >= 0) continue;
    return InvalidArgument(Cat("DLPack: dimension ", &extent - dims.data(), ": expected 0 or more, found ", extent));
  }
  const std::optional<size_t> bytes = TensorBytes(dtype, dims);
  if (!bytes.has_value()) {
    return InvalidArgument(Cat("DLPack: expected extents that fit into memory, found ", Shape(dims).ToString()));
  }
  Shape shape(dims);
  MR_RETURN_IF_ERROR(CheckDense(info, shape));
  if (*bytes == 0) return Described{dtype, std::move(shape), nullptr, 0};
  if (info.data == nullptr) return InvalidArgument("DLPack: expected elements, found no memory");
  const uintptr_t at = reinterpret_cast<uintptr_t>(info.data) + info.byte_offset;
  // A complex number is as aligned as its parts.
  const size_t size = ElementSize(dtype);
  const size_t alignment = dtype == DType::kComplex64 || dtype == DType::kComplex128 ? size / 2 : size;
  if (at % alignment != 0) {
    return InvalidArgument(Cat("DLPack: expected memory aligned to ", alignment, ", found offset ", at % alignment));
  }
  return Described{dtype, std::move(shape), reinterpret_cast<void*>(at), *bytes};
}

template <typename Managed>
Result<Tensor> TakeOver(Managed* tensor) {
  MR_ASSIGN_OR_RETURN(Described found, Describe(tensor->info));
  Buffer buffer = Buffer::Borrow(found.data, found.bytes, [tensor] {
    if (tensor->deleter != nullptr) tensor->deleter(tensor);
  });
  return Tensor(found.dtype, std::move(found.shape), std::move(buffer));
}

// What is handed out: the structure, and what it points to.
template <typename Managed>
struct Lent {
  Managed managed = {};
  Tensor tensor;  // keeps memory and dims
};

template <typename Managed>
Result<Managed*> Lend(const Tensor& tensor) {
  const auto* const known =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeName& t) { return t.dtype == tensor.dtype(); });
  if (known == std::end(kTypes)) {
    return InvalidArgument(Cat("DLPack has no word for ", tensor.valid() ? DTypeName(tensor.dtype()) : "no tensor"));
  }
  auto* const lent = new (std::nothrow) Lent<Managed>;
  if (lent == nullptr) return ResourceExhausted("no memory for a DLPack tensor");
  lent->tensor = tensor;
  TensorInfo& info = lent->managed.info;
  info.data = tensor.data();
  info.device = {dlpack::kCpu, 0};
  info.ndim = lent->tensor.shape().rank();
  info.dtype = known->type;
  // Receivers do not write it.
  info.shape = const_cast<int64_t*>(lent->tensor.shape().dims().data());
  lent->managed.context = lent;
  lent->managed.deleter = [](Managed* self) { delete static_cast<Lent<Managed>*>(self->context); };
  return &lent->managed;
}

}  // namespace

Result<Tensor> FromDLPack(dlpack::ManagedTensor* tensor) {
  if (tensor == nullptr) return InvalidArgument("DLPack: expected a tensor, found null");
  return TakeOver(tensor);
}

Result<Tensor> FromDLPack(dlpack::ManagedTensorVersioned* tensor) {
  if (tensor == nullptr) return InvalidArgument("DLPack: expected a tensor, found null");
  // Of another major version nothing but the version and the deleter is known.
  if (tensor->version.major != 1) {
    return Unimplemented(Cat("DLPack: expected version 1, found ", tensor->version.major));
  }
  return TakeOver(tensor);
}

Result<dlpack::ManagedTensor*> ToDLPack(const Tensor& tensor) { return Lend<dlpack::ManagedTensor>(tensor); }

Result<dlpack::ManagedTensorVersioned*> ToDLPackVersioned(const Tensor& tensor) {
  const bool shared = !tensor.buffer().unique();
  MR_ASSIGN_OR_RETURN(dlpack::ManagedTensorVersioned * lent, Lend<dlpack::ManagedTensorVersioned>(tensor));
  lent->version = {1, 0};
  lent->flags = shared ? dlpack::kReadOnly : 0;
  return lent;
}

}  // namespace millrace
