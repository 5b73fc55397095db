#include "millrace/ops/state/variable.h"

#include <algorithm>

#include "millrace/ops/array/move.h"
#include "millrace/proto/value/strings.h"

namespace millrace {

VariableResource::VariableResource(std::string name, DType dtype, Shape shape, Allocator& allocator)
    : name_(std::move(name)), dtype_(BaseType(dtype)), shape_(std::move(shape)), allocator_(allocator) {}

bool VariableResource::initialized() const {
  const std::lock_guard lock(mutex_);
  return value_.valid();
}

Result<Tensor> VariableResource::Snapshot() const {
  const std::lock_guard lock(mutex_);
  if (!value_.valid()) return FailedPrecondition(Cat("variable '", name_, "' is read before it has a value"));
  return value_;
}

Status VariableResource::CheckAssign(DType dtype, std::span<const int64_t> dims, bool validate_shape) const {
  if (dtype != dtype_) {
    return InvalidArgument(Cat("variable '", name_, "' holds ", DTypeName(dtype_), ", found ", DTypeName(dtype)));
  }
  if (!validate_shape) return OkStatus();
  const Shape found(dims);
  const Shape& expected = value_.valid() ? value_.shape() : shape_;
  if (!expected.IsCompatibleWith(found)) {
    return InvalidArgument(Cat("variable '", name_, "' has shape ", expected.ToString(), ", found ", found.ToString()));
  }
  return OkStatus();
}

// Holders let go with a release of the count; the reader of "nobody else" must
// acquire what they did. use_count() alone is a relaxed load, so take and drop a
// reference: that is a read-modify-write of the same count.
bool VariableResource::Exclusive() const {
  if (!value_.buffer().unique()) return false;
  {
    const std::shared_ptr<void> acquire = value_.buffer().owner();
  }
  return true;
}

Status VariableResource::MakeExclusive() {
  if (Exclusive()) return OkStatus();
  MR_ASSIGN_OR_RETURN(Tensor copy, Tensor::New(dtype_, value_.shape(), allocator_));
  array::CopySerial(dtype_, value_.data(), copy.data(), value_.num_elements());
  value_ = std::move(copy);
  return OkStatus();
}

Status VariableResource::Assign(const TensorView& value, bool validate_shape) {
  const std::lock_guard lock(mutex_);
  MR_RETURN_IF_ERROR(CheckAssign(value.dtype, value.shape(), validate_shape));
  const bool fits = value_.valid() && std::ranges::equal(value_.shape().dims(), value.shape());
  if (fits && value_.data() == value.data) return OkStatus();
  if (!fits || !Exclusive()) {
    MR_ASSIGN_OR_RETURN(value_, Tensor::New(dtype_, Shape(value.shape()), allocator_));
  }
  array::CopySerial(dtype_, value.data, value_.data(), value.num_elements);
  return OkStatus();
}

Status VariableResource::Assign(Tensor value, bool validate_shape) {
  const std::lock_guard lock(mutex_);
  MR_RETURN_IF_ERROR(CheckAssign(value.dtype(), value.shape().dims(), validate_shape));
  value_ = std::move(value);
  return OkStatus();
}

void VariableResource::Clear() {
  const std::lock_guard lock(mutex_);
  value_ = Tensor();
}

Status VariableUpdate::Lock(std::span<VariableResource* const> variables, Code code) {
  count_ = variables.size();
  std::copy(variables.begin(), variables.end(), variables_.begin());
  std::copy(variables.begin(), variables.end(), order_.begin());
  const auto end = order_.begin() + static_cast<ptrdiff_t>(count_);
  std::sort(order_.begin(), end, std::less<VariableResource*>());
  locked_ = static_cast<size_t>(std::unique(order_.begin(), end) - order_.begin());
  for (size_t i = 0; i < locked_; ++i) order_[i]->mutex_.lock();
  for (VariableResource* v : variables) {
    if (!v->value_.valid()) return Status(code, Cat("variable '", v->name(), "' is read before it has a value"));
  }
  return OkStatus();
}

VariableUpdate::~VariableUpdate() {
  for (size_t i = locked_; i-- > 0;) order_[i]->mutex_.unlock();
}

Result<VariableResource*> VariableInput(KernelContext& ctx, int i, DType dtype) {
  MR_ASSIGN_OR_RETURN(Resource * resource, ctx.resource(i));
  if (resource->kind() != VariableResource::kKind) {
    return InvalidArgument(Cat("input ", i, " should refer to a variable, found a ", resource->kind()));
  }
  VariableResource* variable = static_cast<VariableResource*>(resource);
  if (dtype != DType::kInvalid && variable->dtype() != BaseType(dtype)) {
    return InvalidArgument(Cat("variable '", variable->name(), "' holds ", DTypeName(variable->dtype()), ", expected ",
                               DTypeName(BaseType(dtype))));
  }
  return variable;
}

Result<std::shared_ptr<Resource>> LookupOrCreateVariable(ResourceStore& store, std::string_view container,
                                                         std::string_view name, DType dtype, const Shape& shape) {
  MR_ASSIGN_OR_RETURN(
      std::shared_ptr<Resource> resource,
      store.LookupOrCreate(VariableResource::kKind, container, name, [&]() -> std::shared_ptr<Resource> {
        return std::make_shared<VariableResource>(std::string(name), dtype, shape);
      }));
  const VariableResource& variable = static_cast<const VariableResource&>(*resource);
  if (variable.dtype() != BaseType(dtype)) {
    return InvalidArgument(
        Cat("variable '", name, "' holds ", DTypeName(variable.dtype()), ", expected ", DTypeName(BaseType(dtype))));
  }
  return resource;
}

}  // namespace millrace
