// VariableResource: a tensor that outlives runs, behind VariableV2 references
// and VarHandleOp handles alike.
#pragma once

#include <array>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "millrace/devices/api/tensor.h"
#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/kernel/resource.h"

namespace millrace {

// Thread-safe. The buffer is copied on write against readers: a snapshot shares
// it, and whoever changes the variable while somebody holds one changes a copy.
class VariableResource final : public Resource {
 public:
  static constexpr std::string_view kKind = "Variable";

  // `shape` is the declared one and may have unknown parts. `allocator` outlives
  // the variable.
  VariableResource(std::string name, DType dtype, Shape shape, Allocator& allocator = HostAllocator());

  std::string_view kind() const override { return kKind; }
  const std::string& name() const { return name_; }
  DType dtype() const { return dtype_; }
  const Shape& declared_shape() const { return shape_; }

  bool initialized() const;
  // The value now; later writes do not change it. FailedPrecondition with the
  // variable's name where it has none yet.
  Result<Tensor> Snapshot() const;
  // The whole value, copied into the variable's own buffer. With
  // `validate_shape`, InvalidArgument where the shape is not the one that the
  // variable has, or was declared with.
  Status Assign(const TensorView& value, bool validate_shape);
  // The same without a copy: the variable shares `value`'s memory.
  Status Assign(Tensor value, bool validate_shape);
  // Forgets the value.
  void Clear();

 private:
  friend class VariableUpdate;
  Status CheckAssign(DType dtype, std::span<const int64_t> dims, bool validate_shape) const;
  // True where nobody else holds the buffer, so that it may change in place.
  bool Exclusive() const;
  Status MakeExclusive();

  const std::string name_;
  const DType dtype_;
  const Shape shape_;
  Allocator& allocator_;
  mutable std::mutex mutex_;
  Tensor value_;  // invalid until assigned
};

// Exclusive access to up to kMax variables at once, from Lock to destruction:
//
//   VariableUpdate update;
//   MR_RETURN_IF_ERROR(update.Lock({&var, &accum}, Code::kFailedPrecondition));
//   MR_RETURN_IF_ERROR(update.MakeMutable(0));
//   float* v = update.value(0).as<float>();
//
// Locks are taken in the order of addresses, so two updates cannot wait for each
// other; one variable may be named twice.
class VariableUpdate {
 public:
  static constexpr size_t kMax = 6;
  VariableUpdate() = default;
  VariableUpdate(const VariableUpdate&) = delete;
  ~VariableUpdate();

  // An error with `code` and the variable's name where one has no value yet.
  Status Lock(std::span<VariableResource* const> variables, Code code);
  // Lets value(i) be written: copies the buffer first where somebody holds it.
  Status MakeMutable(size_t i) { return variables_[i]->MakeExclusive(); }
  TensorView value(size_t i) const { return variables_[i]->value_.view(); }
  // Shares the current value (before it is made mutable).
  Tensor tensor(size_t i) const { return variables_[i]->value_; }

 private:
  size_t count_ = 0, locked_ = 0;
  std::array<VariableResource*, kMax> variables_{}, order_{};
};

// The variable behind input `i` of a step. InvalidArgument where that is
// another kind of resource, or of another dtype than `dtype` (kInvalid: any).
Result<VariableResource*> VariableInput(KernelContext& ctx, int i, DType dtype = DType::kInvalid);

// The variable of that name in `store`, made where it is not there.
// InvalidArgument where one of another dtype is.
Result<std::shared_ptr<Resource>> LookupOrCreateVariable(ResourceStore& store, std::string_view container,
                                                         std::string_view name, DType dtype, const Shape& shape);

}  // namespace millrace
