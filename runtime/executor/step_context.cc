#include "millrace/runtime/executor/step_context.h"

#include <algorithm>

#include "millrace/ops/array/move.h"
#include "millrace/proto/value/strings.h"

namespace millrace::exec {

using plan::Storage;

Status StepContext::CheckDims(uint32_t value, std::span<const int64_t> dims) const {
  const BoundValue& bound = frame_.binding_->values()[value];
  if (bound.rank < 0) return OkStatus();
  bool same = static_cast<size_t>(bound.rank) == dims.size();
  for (size_t d = 0; same && d < dims.size(); ++d) same = bound.dims[d] < 0 || bound.dims[d] == dims[d];
  if (same) return OkStatus();
  return InvalidArgument(Cat("expected an output of shape ",
                             DimsText(true, {bound.dims, static_cast<size_t>(bound.rank)}), ", found ",
                             DimsText(true, dims)));
}

Status StepContext::AllocateOutput(int i, std::span<const int64_t> dims) {
  const uint32_t v = OutputValue(i);
  const LoadedValue& value = frame_.block_.values[v];
  if (value.storage == Storage::kResource) return Internal(Cat("output ", i, " is a reference: it has no elements"));
  MR_RETURN_IF_ERROR(CheckDims(v, dims));
  TensorView& view = OutputView(i);
  if (frame_.binding_->values()[v].offset != SIZE_MAX) {
    view = frame_.values_[v];
    return OkStatus();
  }
  Tensor& late = frame_.late_[value.late];
  if (late.valid() && std::equal(dims.begin(), dims.end(), late.shape().dims().begin(), late.shape().dims().end())) {
    return OkStatus();
  }
  late = Tensor();
  MR_ASSIGN_OR_RETURN(late, frame_.NewTensor(value.dtype, dims, value.memory));
  view = late.view();
  return OkStatus();
}

Status StepContext::SetOutput(int i, Tensor tensor) {
  const uint32_t v = OutputValue(i);
  const LoadedValue& value = frame_.block_.values[v];
  if (tensor.dtype() != value.dtype) {
    return Internal(
        Cat("output ", i, ": expected dtype ", DTypeName(value.dtype), ", found ", DTypeName(tensor.dtype())));
  }
  MR_RETURN_IF_ERROR(CheckDims(v, tensor.shape().dims()));
  TensorView& view = OutputView(i);
  if (frame_.binding_->values()[v].offset != SIZE_MAX) {
    view = frame_.values_[v];
    return frame_.Move(tensor.view(), value.memory, view.data, value.memory);
  }
  Tensor& late = frame_.late_[value.late];
  late = std::move(tensor);
  view = late.view();
  return OkStatus();
}

Result<Resource*> StepContext::resource(int i) {
  const uint32_t v = frame_.block_.positions[step_.first + static_cast<uint32_t>(i)];
  const LoadedValue& root = frame_.block_.values[frame_.block_.values[v].root];
  Resource* found = nullptr;
  if (root.storage == Storage::kResource && root.index != kNone) {
    found = frame_.plan_.resources()[root.index].get();
  } else if (root.late != kNone) {
    found = frame_.late_resources_[root.late].get();
  }
  if (found == nullptr) {
    const plan::Value* def = frame_.block_.values[v].def;
    return FailedPrecondition(Cat("input ", i, " ('", def != nullptr ? def->name : "", "') refers to no resource"));
  }
  return found;
}

Status StepContext::SetOutputResource(int i, std::shared_ptr<Resource> resource) {
  const LoadedValue& value = frame_.block_.values[OutputValue(i)];
  if (value.storage == Storage::kResource) {
    if (value.index != kNone && frame_.plan_.resources()[value.index] != resource) {
      return Internal(Cat("output ", i, ": expected the plan's resource '",
                          frame_.plan_.plan().resources[value.index].name, "', found another"));
    }
    return OkStatus();
  }
  if (value.late == kNone) return Internal(Cat("output ", i, " cannot hold a resource"));
  frame_.late_resources_[value.late] = std::move(resource);
  return OkStatus();
}

Result<void*> StepContext::Scratch(size_t bytes) {
  // The frame keeps what is in host memory for later steps.
  const bool kept = step_.device->host_accessible();
  if (!scratch_ && kept) {
    const std::lock_guard lock(frame_.scratch_mutex_);
    if (!frame_.scratch_.empty()) {
      scratch_ = std::move(frame_.scratch_.back());
      frame_.scratch_.pop_back();
    }
  }
  if (!scratch_ || scratch_.size() < bytes) {
    scratch_ = Buffer();
    MR_ASSIGN_OR_RETURN(scratch_, step_.device->allocator().Allocate(bytes));
  }
  return scratch_.data();
}

void StepContext::GiveScratchBack() {
  if (!step_.device->host_accessible()) return;
  const std::lock_guard lock(frame_.scratch_mutex_);
  frame_.scratch_.push_back(std::move(scratch_));
}

void StepContext::ParallelFor(int64_t total, int64_t block, absl::FunctionRef<void(int64_t, int64_t, int)> body) {
  ThreadPool& pool = frame_.plan_.environment().pool();
  if (!run_.limit.any() || !MayLeaveOut()) [[likely]] {
    pool.ParallelFor(total, block, body);
    return;
  }
  pool.ParallelFor(total, block, [&](int64_t begin, int64_t end, int worker) {
    if (!run_.limit.Reached()) return body(begin, end, worker);
    left_out_.store(true, std::memory_order_relaxed);
  });
}

bool StepContext::MayLeaveOut() const {
  const Op* const op = step_.op;
  if (op == nullptr || Registry::BuiltIn().Find(op->name()) != op) return false;
  return std::none_of(op->effects().begin(), op->effects().end(),
                      [](const Effect& effect) { return effect.kind != Effect::Kind::kRead; });
}

int StepContext::workers() const { return frame_.plan_.environment().pool().threads(); }

Status StepContext::PublishOutputs() {
  for (int i = 0; i < num_outputs_; ++i) {
    const uint32_t v = OutputValue(i);
    const LoadedValue& value = frame_.block_.values[v];
    if (value.storage == Storage::kResource) continue;
    if (frame_.binding_->values()[v].offset != SIZE_MAX) {
      if (OutputView(i).data == nullptr && OutputView(i).num_elements > 0) {
        return Internal(Cat("output ", i, ": the kernel gave it no shape"));
      }
      continue;
    }
    Tensor& late = frame_.late_[value.late];
    if (!late.valid() && !output_wanted(i)) continue;
    if (value.dtype == DType::kResource && frame_.late_resources_[value.late] != nullptr) continue;
    if (!late.valid()) return Internal(Cat("output ", i, ": the kernel gave it no shape"));
    MR_RETURN_IF_ERROR(frame_.Publish(v, std::move(late)));
  }
  return OkStatus();
}

}  // namespace millrace::exec
