// StepContext: what a kernel sees of one run of its step.
#pragma once

#include "millrace/ops/kernel/kernel.h"
#include "millrace/runtime/executor/frame.h"

namespace millrace::exec {

class StepContext final : public KernelContext {
 public:
  StepContext(Frame& frame, uint32_t step, RunState& run) : frame_(frame), step_(frame.block_.steps[step]), run_(run) {
    num_inputs_ = static_cast<int>(step_.num_inputs);
    num_outputs_ = static_cast<int>(step_.num_outputs);
    inputs_ = frame.views_.data() + step_.first;
    outputs_ = inputs_ + num_inputs_;
    wanted_ = frame.block_.wanted.get() + step_.first + num_inputs_;
  }
  ~StepContext() override {
    if (scratch_) GiveScratchBack();
  }

  Status AllocateOutput(int i, std::span<const int64_t> dims) override;
  Status SetOutput(int i, Tensor tensor) override;
  Result<Resource*> resource(int i) override;
  Status SetOutputResource(int i, std::shared_ptr<Resource> resource) override;
  Result<void*> Scratch(size_t bytes) override;
  Allocator& allocator() override { return step_.device->allocator(); }
  void ParallelFor(int64_t total, int64_t block, absl::FunctionRef<void(int64_t, int64_t, int)> body) override;
  int workers() const override;
  bool cancelled() const override { return run_.limit.Reached(); }

  // What the kernel's answer means for the run: where the run's limit cut the kernel
  // short, that is the error.
  Status Outcome(Status status) const {
    if (!run_.limit.any()) [[likely]]
      return status;
    const bool cut = left_out_.load(std::memory_order_relaxed);
    return cut || (status.code() == Code::kCancelled && cancelled()) ? run_.limit.Error() : status;
  }

  // After the kernel: late outputs become visible to their users. Internal where
  // the kernel left one out.
  Status PublishOutputs();

 private:
  uint32_t OutputValue(int i) const {
    return frame_.block_.positions[step_.first + step_.num_inputs + static_cast<uint32_t>(i)];
  }
  TensorView& OutputView(int i) { return frame_.views_[step_.first + step_.num_inputs + static_cast<uint32_t>(i)]; }
  // Whether pieces of its work may be left out when the run is to stop: what it has
  // made by then is dropped, so it must not be state; and it must not take what
  // the pieces make for places in memory, which is known of our own kernels alone.
  bool MayLeaveOut() const;
  Status CheckDims(uint32_t value, std::span<const int64_t> dims) const;
  void GiveScratchBack();

  Frame& frame_;
  const LoadedStep& step_;
  RunState& run_;
  Buffer scratch_;
  std::atomic<bool> left_out_{false};
};

}  // namespace millrace::exec
