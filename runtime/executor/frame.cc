#include "millrace/runtime/executor/frame.h"

#include <algorithm>

#include "absl/container/inlined_vector.h"
#include "millrace/ops/array/move.h"
#include "millrace/ops/registry/cost.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/executor/step_context.h"
#include "millrace/runtime/plan/variables.h"

namespace millrace::exec {

using plan::Storage;

void StepTask::Run() { frame->RunFrom(step); }

Frame::Frame(const LoadedPlan& plan, uint32_t block)
    : plan_(plan),
      block_number_(block),
      block_(plan.blocks()[block]),
      allocator_(plan.environment().allocator()),
      arenas_(plan.devices().size()),
      values_(block_.values.size()),
      views_(block_.positions.size()),
      late_(block_.num_late),
      late_resources_(block_.num_late),
      late_uses_(new std::atomic<uint32_t>[block_.num_late]),
      group_snapshots_(block_.group_sizes.size()),
      group_left_(block_.group_sizes.size()) {
  scratch_.reserve(16);
}

Frame::~Frame() = default;

Status Frame::Fit(std::shared_ptr<const Binding> binding) {
  binding_ = nullptr;
  for (uint32_t d = 0; d < arenas_.size(); ++d) {
    const size_t bytes = binding->arena_bytes()[d];
    if (arenas_[d].size() >= bytes) continue;
    arenas_[d] = Buffer();  // first give back, then ask for more
    MR_ASSIGN_OR_RETURN(arenas_[d], AllocatorOf(d).Allocate(bytes));
  }
  for (uint32_t v = 0; v < values_.size(); ++v) {
    const BoundValue& bound = binding->values()[v];
    TensorView& view = values_[v];
    view.dtype = block_.values[v].dtype;
    view.rank = std::max(bound.rank, 0);
    view.dims = bound.dims;
    view.num_elements = bound.num_elements;
    view.data = bound.offset != SIZE_MAX ? InArena(v, bound.offset) : bound.data;
  }
  for (uint32_t p = 0; p < views_.size(); ++p) views_[p] = values_[block_.positions[p]];
  any_late_ = false;
  for (const StepState& step : binding->steps()) any_late_ |= step.slow;
  binding_ = std::move(binding);
  return OkStatus();
}

void Frame::SetData(uint32_t v, void* data) {
  values_[v].data = data;
  for (uint32_t p : block_.UsesOf(v)) views_[p].data = data;
  for (uint32_t a : block_.AliasesOf(v)) {
    values_[a].data = data;
    for (uint32_t p : block_.UsesOf(a)) views_[p].data = data;
  }
}

Result<Tensor> Frame::NewTensor(DType dtype, std::span<const int64_t> dims, uint32_t memory) {
  return Tensor::New(dtype, Shape(dims), AllocatorOf(memory));
}

void Frame::Count(int64_t bytes) {
  const int64_t live = live_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  int64_t peak = peak_bytes_.load(std::memory_order_relaxed);
  while (live > peak && !peak_bytes_.compare_exchange_weak(peak, live, std::memory_order_relaxed)) {
  }
}

Status Frame::Publish(uint32_t root, Tensor tensor) {
  const LoadedValue& value = block_.values[root];
  Tensor& held = late_[value.late];
  held = std::move(tensor);
  Count(static_cast<int64_t>(held.bytes()));
  const auto set = [&](uint32_t v) -> Status {
    const BoundValue& bound = binding_->values()[v];
    TensorView view = held.view();
    const bool is_alias = v != root;
    if (bound.known && is_alias) {
      if (bound.num_elements != view.num_elements) {
        return InvalidArgument(Cat("expected ", bound.num_elements, " elements for shape ",
                                   DimsText(true, {bound.dims, static_cast<size_t>(bound.rank)}), ", found shape ",
                                   DimsText(true, view.shape())));
      }
      view.rank = bound.rank;
      view.dims = bound.dims;
    } else if (bound.rank >= 0) {
      bool same = bound.rank == view.rank;
      for (int d = 0; same && d < view.rank; ++d) same = bound.dims[d] < 0 || bound.dims[d] == view.dims[d];
      if (!same) {
        return InvalidArgument(Cat("expected shape ", DimsText(true, {bound.dims, static_cast<size_t>(bound.rank)}),
                                   ", found ", DimsText(true, view.shape())));
      }
    }
    values_[v] = view;
    for (uint32_t p : block_.UsesOf(v)) views_[p] = view;
    return OkStatus();
  };
  MR_RETURN_IF_ERROR(set(root));
  for (uint32_t a : block_.AliasesOf(root)) MR_RETURN_IF_ERROR(set(a));
  if (value.late_uses == 0) {
    Count(-static_cast<int64_t>(held.bytes()));
    held = Tensor();
  }
  return OkStatus();
}

void Frame::Release(const LoadedStep& step) {
  for (uint32_t k = step.releases_begin; k < step.releases_end; ++k) {
    const uint32_t late = block_.values[block_.releases[k]].late;
    if (late_uses_[late].fetch_sub(1, std::memory_order_acq_rel) == 1) {
      Count(-static_cast<int64_t>(late_[late].bytes()));
      late_[late] = Tensor();
    }
  }
}

void Frame::BeginRun() {
  if (!any_late_) return;
  for (uint32_t i = 0; i < block_.num_late; ++i) late_uses_[i].store(block_.late_uses[i], std::memory_order_relaxed);
  std::copy(block_.group_sizes.begin(), block_.group_sizes.end(), group_left_.begin());
  live_bytes_.store(0, std::memory_order_relaxed);
  peak_bytes_.store(0, std::memory_order_relaxed);
}

Status Frame::Run(RunState& run) {
  BeginRun();
  ThreadPool& pool = plan_.environment().pool();
  Status status;
  if (pool.threads() > 1) {
    MR_RETURN_IF_ERROR(pool.CheckUsable());
    status = binding_->parallel() ? RunParallel(run) : RunSequential(run);
  } else {
    status = RunSequential(run);
  }
  if (run.metadata != nullptr) {
    int64_t bytes = peak_bytes_.load(std::memory_order_relaxed);
    for (const Buffer& arena : arenas_) bytes += static_cast<int64_t>(arena.size());
    for (const Buffer& scratch : scratch_) bytes += static_cast<int64_t>(scratch.size());
    const std::lock_guard lock(run.metadata_mutex);
    run.metadata->peak_bytes = std::max(run.metadata->peak_bytes, bytes);
  }
  return status;
}

void Frame::EndRun() {
  if (!any_late_) return;
  for (Tensor& tensor : late_) {
    if (tensor.valid()) tensor = Tensor();
  }
  for (Tensor& tensor : group_snapshots_) tensor = Tensor();
  for (std::shared_ptr<Resource>& resource : late_resources_) resource = nullptr;
}

Status Frame::RunSequential(RunState& run) {
  const auto& before_step = plan_.environment().before_step;
  const bool watched = run.limit.any() || run.metadata != nullptr || before_step;
  const StepState* states = binding_->steps().data();
  const uint32_t n = static_cast<uint32_t>(block_.steps.size());
  for (uint32_t s = 0; s < n; ++s) {
    Status status;
    if (watched) [[unlikely]] {
      if (before_step) before_step(block_.steps[s].def->node);
      if (run.limit.Reached()) return run.limit.Error().At(block_.steps[s].def->node, block_.steps[s].def->op);
      status = RunProfiled(s, run);
    } else {
      status = states[s].slow ? RunSlow(s, run) : RunFast(s, run);
    }
    if (!status.ok()) [[unlikely]]
      return status.At(block_.steps[s].def->node, block_.steps[s].def->op);
  }
  return OkStatus();
}

Status Frame::RunParallel(RunState& run) {
  const uint32_t n = static_cast<uint32_t>(block_.steps.size());
  if (n == 0) return OkStatus();
  if (tasks_.empty()) {
    tasks_ = std::vector<StepTask>(n);
    pending_ = std::make_unique<std::atomic<uint32_t>[]>(n);
    for (uint32_t s = 0; s < n; ++s) {
      tasks_[s].frame = this;
      tasks_[s].step = s;
    }
  }
  ThreadPool& pool = plan_.environment().pool();
  run_ = &run;
  stop_.store(false, std::memory_order_relaxed);
  error_ = OkStatus();
  for (uint32_t s = 0; s < n; ++s) pending_[s].store(block_.steps[s].pending, std::memory_order_relaxed);
  remaining_.store(n, std::memory_order_release);
  // Step 0 waits for nothing: it is the caller's.
  for (uint32_t s = 1; s < n; ++s) {
    if (block_.steps[s].pending == 0) pool.Schedule(&tasks_[s]);
  }
  RunFrom(0);
  pool.HelpUntil([this] { return remaining_.load(std::memory_order_acquire) == 0; });
  const std::lock_guard lock(error_mutex_);
  return std::exchange(error_, OkStatus());
}

// Runs a step and then, one after the other, steps that it made ready; others
// that it made ready go to the pool.
void Frame::RunFrom(uint32_t step) {
  ThreadPool& pool = plan_.environment().pool();
  const auto& before_step = plan_.environment().before_step;
  RunState& run = *run_;
  while (step != kNone) {
    const LoadedStep& loaded = block_.steps[step];
    // After an error the rest is only counted down.
    if (!stop_.load(std::memory_order_relaxed)) {
      if (before_step) before_step(loaded.def->node);
      Status status = run.limit.Reached() ? run.limit.Error() : RunProfiled(step, run);
      if (!status.ok()) {
        const std::lock_guard lock(error_mutex_);
        if (!stop_.exchange(true, std::memory_order_relaxed)) error_ = status.At(loaded.def->node, loaded.def->op);
      }
    }
    uint32_t next = kNone;
    for (uint32_t k = loaded.successors_begin; k < loaded.successors_end; ++k) {
      const uint32_t after = block_.successors[k];
      if (pending_[after].fetch_sub(1, std::memory_order_acq_rel) != 1) continue;
      if (next == kNone) next = after;
      else pool.Schedule(&tasks_[after]);
    }
    // Once the last step is counted the frame may be gone.
    if (remaining_.fetch_sub(1, std::memory_order_acq_rel) == 1) pool.Wake();
    step = next;
  }
}

Status Frame::RunProfiled(uint32_t s, RunState& run) {
  const auto go = [&] { return binding_->steps()[s].slow ? RunSlow(s, run) : RunFast(s, run); };
  if (run.metadata == nullptr || !run.options->collect_step_stats) return go();
  static std::atomic<int> threads_seen{0};
  thread_local const int thread = threads_seen.fetch_add(1, std::memory_order_relaxed);
  StepStats stats;
  const plan::Step& def = *block_.steps[s].def;
  stats.node = def.node;
  stats.op = def.op;
  stats.device = block_.steps[s].device->name();
  stats.thread = thread;
  // Shapes of the inputs, which may be gone when the step has run.
  const LoadedStep& step = block_.steps[s];
  std::vector<TensorView> inputs(views_.begin() + step.first, views_.begin() + step.first + step.num_inputs);
  std::vector<std::vector<int64_t>> dims;
  for (TensorView& t : inputs) {
    dims.emplace_back(t.dims, t.dims + (t.dims == nullptr ? 0 : std::max(t.rank, 0)));
    t.dims = dims.back().data();
  }
  stats.start_ns = NowNanos() - run.start_ns;
  Status status = go();
  stats.end_ns = NowNanos() - run.start_ns;
  stats.step = s;
  const std::span<const TensorView> outputs(views_.data() + step.first + step.num_inputs, step.num_outputs);
  // A snapshot of a variable moves nothing.
  if (status.ok() && step.action != Action::kRead) {
    for (const TensorView& t : inputs) stats.bytes += static_cast<int64_t>(t.bytes());
    for (const TensorView& t : outputs) stats.bytes += static_cast<int64_t>(t.bytes());
    stats.flops = FloatingPointOps(def.op, def.attrs, inputs, outputs);
  }
  const std::lock_guard lock(run.metadata_mutex);
  run.metadata->steps.push_back(std::move(stats));
  return status;
}

Status Frame::RunFast(uint32_t s, RunState& run) {
  StepContext context(*this, s, run);
  return context.Outcome(block_.steps[s].kernel->Run(context));
}

Status Frame::RunReads(const LoadedStep& step) {
  for (uint32_t d = step.derefs_begin; d < step.derefs_end; ++d) {
    const Deref& deref = block_.derefs[d];
    Tensor snapshot;
    if (deref.group == kNone) {
      MR_ASSIGN_OR_RETURN(snapshot, ReadVariable(*plan_.resources()[deref.resource]));
    } else {
      // The last reader takes the shared snapshot along, so that a later write
      // of this run finds the buffer free.
      const std::lock_guard lock(group_mutex_);
      Tensor& shared = group_snapshots_[deref.group];
      if (!shared.valid()) {
        MR_ASSIGN_OR_RETURN(shared, ReadVariable(*plan_.resources()[deref.resource]));
      }
      if (--group_left_[deref.group] == 0) snapshot = std::move(shared);
      else snapshot = shared;
    }
    MR_RETURN_IF_ERROR(Publish(deref.value, std::move(snapshot)));
  }
  return OkStatus();
}

Status Frame::RunSlow(uint32_t s, RunState& run) {
  const LoadedStep& step = block_.steps[s];
  MR_RETURN_IF_ERROR(RunReads(step));
  if (step.action == Action::kRead) return OkStatus();
  if (step.action == Action::kKernel || step.action == Action::kCopy) {
    MR_RETURN_IF_ERROR(PrepareOutputs(s));
    StepContext context(*this, s, run);
    if (step.action == Action::kKernel) {
      MR_RETURN_IF_ERROR(context.Outcome(step.kernel->Run(context)));
    } else {
      const TensorView& from = context.input(0);
      if (context.output(0).data == nullptr) MR_RETURN_IF_ERROR(context.AllocateOutput(0, from.shape()));
      MR_RETURN_IF_ERROR(Move(from, block_.MemoryOf(block_.positions[step.first]), context.output(0).data,
                              block_.MemoryOf(block_.positions[step.first + 1])));
    }
    MR_RETURN_IF_ERROR(context.PublishOutputs());
  } else {
    MR_RETURN_IF_ERROR(RunBlocks(s, run));
  }
  Release(step);
  return OkStatus();
}

Status Frame::Move(const TensorView& from, uint32_t from_memory, void* to, uint32_t to_memory) {
  if (plan_.OnHost(from_memory) && plan_.OnHost(to_memory)) {
    array::CopySerial(from.dtype, from.data, to, from.num_elements);
    return OkStatus();
  }
  // Each copy waits for its end: the steps behind it expect that.
  const size_t bytes = from.bytes();
  Buffer source = Buffer::Borrow(from.data, bytes), target = Buffer::Borrow(to, bytes);
  Device& first = *plan_.devices()[from_memory];
  Device& second = *plan_.devices()[to_memory];
  if (&first == &second) {
    MR_ASSIGN_OR_RETURN(const std::unique_ptr<Stream> stream, first.NewStream());
    MR_RETURN_IF_ERROR(stream->CopyOnDevice(source, target));
    return stream->Synchronize();
  }
  if (!plan_.OnHost(from_memory)) {
    Buffer host = target;
    if (!plan_.OnHost(to_memory)) {
      MR_ASSIGN_OR_RETURN(host, allocator_.Allocate(bytes));
    }
    MR_ASSIGN_OR_RETURN(const std::unique_ptr<Stream> stream, first.NewStream());
    MR_RETURN_IF_ERROR(stream->CopyToHost(source, host));
    MR_RETURN_IF_ERROR(stream->Synchronize());
    source = std::move(host);
  }
  if (plan_.OnHost(to_memory)) return OkStatus();
  MR_ASSIGN_OR_RETURN(const std::unique_ptr<Stream> stream, second.NewStream());
  MR_RETURN_IF_ERROR(stream->CopyFromHost(source, target));
  return stream->Synchronize();
}

Status Frame::InferAtRun(uint32_t s, std::vector<InferOutput>* outputs) {
  const LoadedStep& step = block_.steps[s];
  std::vector<InferInput> inputs(step.num_inputs);
  for (uint32_t i = 0; i < step.num_inputs; ++i) {
    const uint32_t v = block_.positions[step.first + i];
    const LoadedValue& value = block_.values[v];
    const LoadedValue& root = block_.values[value.root];
    const TensorView& view = views_[step.first + i];
    inputs[i].dtype = value.dtype;
    if (root.storage == Storage::kResource) {
      inputs[i].resource = &plan_.plan().resources[root.index];
      continue;
    }
    inputs[i].has_rank = true;
    inputs[i].dims = view.shape();
    if (plan_.OnHost(root.memory)) inputs[i].contents = &view;
    inputs[i].elements = binding_->elements(v);
  }
  return InferStep(step, inputs, outputs);
}

// Gives the outputs whose memory is not in the arena theirs, where their shapes
// are known now; the kernel asks for the rest.
Status Frame::PrepareOutputs(uint32_t s) {
  const LoadedStep& step = block_.steps[s];
  const bool infer = binding_->steps()[s].infer_at_run && step.action == Action::kKernel;
  std::vector<InferOutput> found;
  if (infer) MR_RETURN_IF_ERROR(InferAtRun(s, &found));
  for (uint32_t i = 0; i < step.num_outputs; ++i) {
    const uint32_t position = step.first + step.num_inputs + i;
    const uint32_t v = block_.positions[position];
    const LoadedValue& value = block_.values[v];
    if (value.storage == Storage::kResource) continue;
    const BoundValue& bound = binding_->values()[v];
    TensorView& view = views_[position];
    const bool in_arena = bound.offset != SIZE_MAX;
    const bool decided = infer ? found[i].known() : bound.known;
    if (infer && bound.known && decided &&
        !std::equal(found[i].dims.begin(), found[i].dims.end(), bound.dims, bound.dims + bound.rank)) {
      return InvalidArgument(Cat("output ", i, ": expected shape ",
                                 DimsText(true, {bound.dims, static_cast<size_t>(bound.rank)}), " by the plan, found ",
                                 DimsText(true, found[i].dims)));
    }
    if (in_arena) {
      view = values_[v];
      if (!decided) view.data = nullptr;
      continue;
    }
    Tensor& late = late_[value.late];
    late = Tensor();
    view = values_[v];
    view.data = nullptr;
    if (!decided) {
      view.rank = 0;
      view.num_elements = 0;
      continue;
    }
    const std::span<const int64_t> dims =
        infer ? std::span<const int64_t>(found[i].dims) : std::span<const int64_t>(bound.dims, bound.rank);
    MR_ASSIGN_OR_RETURN(late, NewTensor(value.dtype, dims, value.memory));
    view = late.view();
  }
  return OkStatus();
}

namespace {

Result<Tensor> CopyOf(const TensorView& from, Allocator& allocator) {
  MR_ASSIGN_OR_RETURN(Tensor copy, Tensor::New(from.dtype, Shape(from.shape()), allocator));
  array::CopySerial(from.dtype, from.data, copy.data(), from.num_elements);
  return copy;
}

}  // namespace

Status Frame::RunBlock(uint32_t number, std::span<const TensorView> arguments, RunState& run,
                       std::vector<Tensor>* results) {
  MR_ASSIGN_OR_RETURN(std::shared_ptr<const Binding> binding,
                      Binding::Make(plan_, number, nullptr, arguments, binding_.get()));
  Frame inner(plan_, number);
  MR_RETURN_IF_ERROR(inner.Fit(std::move(binding)));
  for (size_t i = 0; i < arguments.size(); ++i) inner.SetArgument(i, arguments[i].data);
  inner.BeginRun();
  // In this thread: the steps inside may still split their work.
  MR_RETURN_IF_ERROR(inner.RunSequential(run));
  results->clear();
  for (uint32_t v : inner.block_.def->results) {
    const LoadedValue& root = inner.block_.values[inner.block_.values[v].root];
    const TensorView& view = inner.values_[v];
    if (root.storage == Storage::kLate) {
      results->push_back(inner.late_[root.late].Reshaped(Shape(view.shape())));
    } else {
      MR_ASSIGN_OR_RETURN(Tensor copy, CopyOf(view, allocator_));
      results->push_back(std::move(copy));
    }
  }
  return OkStatus();
}

Status Frame::RunBlocks(uint32_t s, RunState& run) {
  const LoadedStep& step = block_.steps[s];
  std::span<const TensorView> inputs(views_.data() + step.first, step.num_inputs);
  std::vector<Tensor> results;
  const auto truth = [](const TensorView& view) -> Result<bool> {
    if (view.dtype != DType::kBool || view.num_elements != 1) {
      return InvalidArgument(Cat("predicate: expected one bool, found ", DTypeName(view.dtype), " of shape ",
                                 DimsText(true, view.shape())));
    }
    return view.scalar<bool>();
  };
  switch (step.action) {
    case Action::kIf: {
      MR_ASSIGN_OR_RETURN(const bool then, truth(inputs[0]));
      MR_RETURN_IF_ERROR(RunBlock(step.def->blocks[then ? 0 : 1], inputs.subspan(1), run, &results));
      break;
    }
    case Action::kCall:
      MR_RETURN_IF_ERROR(RunBlock(step.def->blocks[0], inputs, run, &results));
      break;
    case Action::kWhile: {
      std::vector<TensorView> variables(inputs.begin(), inputs.end());
      std::vector<Tensor> state;
      for (;;) {
        if (run.limit.Reached()) return run.limit.Error();
        std::vector<Tensor> condition;
        MR_RETURN_IF_ERROR(RunBlock(step.def->blocks[0], variables, run, &condition));
        MR_ASSIGN_OR_RETURN(const bool more, truth(condition[0].view()));
        if (!more) break;
        std::vector<Tensor> next;
        MR_RETURN_IF_ERROR(RunBlock(step.def->blocks[1], variables, run, &next));
        state = std::move(next);
        for (size_t i = 0; i < state.size(); ++i) variables[i] = state[i].view();
      }
      if (state.empty()) {
        for (const TensorView& input : inputs) {
          MR_ASSIGN_OR_RETURN(Tensor copy, CopyOf(input, allocator_));
          state.push_back(std::move(copy));
        }
      }
      results = std::move(state);
      break;
    }
    default:
      return Internal("not a step of blocks");
  }
  for (uint32_t i = 0; i < step.num_outputs; ++i) {
    const uint32_t v = block_.positions[step.first + step.num_inputs + i];
    const LoadedValue& value = block_.values[v];
    if (value.storage == Storage::kLate) MR_RETURN_IF_ERROR(Publish(v, std::move(results[i])));
  }
  return OkStatus();
}

}  // namespace millrace::exec
