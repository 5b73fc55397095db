// Frame: the scratch memory of a run of one block. Kept between runs, so that a
// run of shapes it has seen allocates nothing.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "millrace/devices/api/thread_pool.h"
#include "millrace/runtime/executor/binding.h"
#include "millrace/runtime/executor/run_limit.h"
#include "millrace/runtime/plan/loaded_plan.h"

namespace millrace::exec {

// What one call of a signature is about, shared by the frames of its blocks.
struct RunState {
  explicit RunState(const RunOptions& run_options) : options(&run_options), limit(run_options) {}

  const RunOptions* const options;
  const RunLimit limit;
  int64_t start_ns = 0;             // only where there is a profile
  RunMetadata* metadata = nullptr;  // guarded by metadata_mutex
  std::mutex metadata_mutex;
};

class Frame;

class StepTask final : public Task {
 public:
  void Run() override;
  Frame* frame = nullptr;
  uint32_t step = 0;
};

// Where a result goes; `in_place`: it is computed there.
struct ResultPlace {
  void* data = nullptr;
  bool in_place = false;
};

class Frame {
 public:
  Frame(const LoadedPlan& plan, uint32_t block);
  ~Frame();
  Frame(const Frame&) = delete;

  // Makes the frame fit for `binding`: the arena and every view that does not
  // depend on the call. ResourceExhausted where memory is short.
  Status Fit(std::shared_ptr<const Binding> binding);
  const Binding* binding() const { return binding_.get(); }

  // The memory of argument `i` in the coming run.
  void SetArgument(size_t i, void* data) { SetData(block_.def->arguments[i], data); }
  // Puts value `root`, which lives in a slot, into other memory for the coming
  // run; null: into its slot.
  void Place(uint32_t root, void* data) {
    if (data == nullptr) data = InArena(root, binding_->values()[root].offset);
    if (values_[root].data != data) SetData(root, data);
  }

  // Runs all steps: in the caller, or over the pool where the binding says that
  // pays. The caller has flushed denormals.
  Status Run(RunState& run);

  // After a run, until EndRun. Of a late value whose step ran, its memory.
  const TensorView& value(uint32_t v) const { return values_[v]; }
  // Of a late root: takes it out, with its elements.
  Tensor& late(uint32_t root) { return late_[block_.values[root].late]; }
  // Drops late values.
  void EndRun();

  const LoadedBlock& block() const { return block_; }
  // For who runs the frame; kept, so that the next run allocates none.
  std::vector<ResultPlace>& result_places() { return result_places_; }

 private:
  friend class StepContext;
  friend class StepTask;

  void* InArena(uint32_t value, size_t offset) const {
    return static_cast<char*>(arenas_[block_.MemoryOf(value)].data()) + offset;
  }
  void BeginRun();
  void SetData(uint32_t v, void* data);
  // A late value is there: its views, those of its aliases too.
  Status Publish(uint32_t root, Tensor tensor);
  Status RunSequential(RunState& run);
  Status RunParallel(RunState& run);
  void RunFrom(uint32_t step);
  Status RunStep(uint32_t s, RunState& run);
  Status RunFast(uint32_t s, RunState& run);
  Status RunSlow(uint32_t s, RunState& run);
  Status RunProfiled(uint32_t s, RunState& run);
  Status RunReads(const LoadedStep& step);
  Status InferAtRun(uint32_t s, std::vector<InferOutput>* outputs);
  Status PrepareOutputs(uint32_t s);
  Status RunBlocks(uint32_t s, RunState& run);
  Status RunBlock(uint32_t block, std::span<const TensorView> arguments, RunState& run, std::vector<Tensor>* results);
  void Release(const LoadedStep& step);
  // In one of the plan's devices' memory.
  Allocator& AllocatorOf(uint32_t memory) const { return plan_.devices()[memory]->allocator(); }
  Result<Tensor> NewTensor(DType dtype, std::span<const int64_t> dims, uint32_t memory);
  // Elements from one place to another, across devices where they are on two.
  Status Move(const TensorView& from, uint32_t from_memory, void* to, uint32_t to_memory);
  void Count(int64_t bytes);

  const LoadedPlan& plan_;
  const uint32_t block_number_;
  const LoadedBlock& block_;
  Allocator& allocator_;
  std::shared_ptr<const Binding> binding_;
  std::vector<Buffer> arenas_;      // of each of the plan's devices
  std::vector<TensorView> values_;  // of each value
  std::vector<TensorView> views_;   // of each position: what kernels see
  std::vector<Tensor> late_;
  std::vector<std::shared_ptr<Resource>> late_resources_;
  std::unique_ptr<std::atomic<uint32_t>[]> late_uses_;
  std::vector<ResultPlace> result_places_;
  std::vector<Tensor> group_snapshots_;
  std::vector<uint32_t> group_left_;
  std::mutex group_mutex_;
  bool any_late_ = false;

  // Workspaces of steps: as many as ran at once.
  std::mutex scratch_mutex_;
  std::vector<Buffer> scratch_;

  // A parallel run.
  RunState* run_ = nullptr;
  std::unique_ptr<std::atomic<uint32_t>[]> pending_;
  std::vector<StepTask> tasks_;
  std::atomic<uint32_t> remaining_{0};
  std::atomic<bool> stop_{false};
  std::mutex error_mutex_;
  Status error_;

  std::atomic<int64_t> live_bytes_{0}, peak_bytes_{0};
};

}  // namespace millrace::exec
