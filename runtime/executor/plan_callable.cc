#include "millrace/runtime/executor/plan_callable.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "absl/container/inlined_vector.h"
#include "millrace/devices/cpu/float_state.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/executor/tensor_sink.h"
#include "millrace/runtime/plan/variables.h"

namespace millrace::exec {
namespace {

using plan::Storage;

constexpr size_t kMaxBindings = 16;

Status ClosedError() { return FailedPrecondition("the session is closed"); }

// The caller's memory.
class ViewSink final : public ResultSink {
 public:
  ViewSink(std::span<const TensorView> views, const std::vector<std::string>& names) : views_(views), names_(names) {}
  Status Place(size_t i, DType dtype, std::span<const int64_t> dims, void** data) override {
    const TensorView& view = views_[i];
    if (view.dtype != dtype || !std::equal(dims.begin(), dims.end(), view.dims, view.dims + view.rank)) {
      return Mismatch(i, dtype, dims);
    }
    *data = view.data;
    return OkStatus();
  }
  Status Take(size_t i, Tensor tensor, bool exclusive) override {
    if (IsObject(tensor.dtype())) {
      return InvalidArgument(
          Cat("fetch '", names_[i], "': ", DTypeName(tensor.dtype()), " cannot be put into the caller's memory"));
    }
    void* data = nullptr;
    MR_RETURN_IF_ERROR(Place(i, tensor.dtype(), tensor.shape().dims(), &data));
    if (tensor.bytes() != 0) std::memcpy(data, tensor.data(), tensor.bytes());
    return OkStatus();
  }
  bool may_overlap_feeds() const override { return true; }

 private:
  Status Mismatch(size_t i, DType dtype, std::span<const int64_t> dims) const {
    return InvalidArgument(Cat("output for fetch '", names_[i], "': expected ", DTypeName(dtype), " of shape ",
                               DimsText(true, dims), ", found ", DTypeName(views_[i].dtype), " of shape ",
                               DimsText(true, views_[i].shape())));
  }
  std::span<const TensorView> views_;
  const std::vector<std::string>& names_;
};

bool Overlaps(const void* a, size_t a_bytes, const void* b, size_t b_bytes) {
  const uintptr_t x = reinterpret_cast<uintptr_t>(a), y = reinterpret_cast<uintptr_t>(b);
  return a_bytes != 0 && b_bytes != 0 && x < y + b_bytes && y < x + a_bytes;
}

}  // namespace

PlanCallable::PlanCallable(std::shared_ptr<const LoadedPlan> plan, size_t signature)
    : environment_(plan->shared_environment()),
      plan_(std::move(plan)),
      signature_(&plan_->plan().signatures[signature]) {
  for (const plan::Feed& feed : signature_->feeds) {
    feed_names_.push_back(feed.name);
    feed_types_.push_back(feed.dtype);
  }
  fetch_names_ = signature_->fetches;
  const LoadedBlock& block = plan_->blocks()[signature_->block];
  std::vector<uint32_t> last_result(block.values.size(), kNone);
  for (uint32_t v : block.def->results) {
    const uint32_t root = block.values[v].root;
    const bool first = last_result[root] == kNone;
    if (!first) results_[last_result[root]].last_of_root = false;
    last_result[root] = static_cast<uint32_t>(results_.size());
    results_.push_back({v, root, block.values[root].storage == Storage::kSlot && first, true});
  }
}

PlanCallable::~PlanCallable() { Close(); }

void PlanCallable::Close() {
  closed_.store(true, std::memory_order_seq_cst);
  // A run in progress has its frame. There are few, and closing is rare: look
  // again now and then.
  for (;;) {
    {
      const std::lock_guard lock(frames_mutex_);
      if (Frame* frame = hot_.exchange(nullptr, std::memory_order_seq_cst); frame != nullptr) idle_.push_back(frame);
      if (idle_.size() == frames_.size()) {
        idle_.clear();
        frames_.clear();
        break;
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  const std::lock_guard lock(bindings_mutex_);
  bindings_.clear();
  plan_ = nullptr;
}

Status PlanCallable::CheckFeeds(std::span<const TensorView> feeds) const {
  if (feeds.size() != feed_types_.size()) {
    return InvalidArgument(
        Cat("expected ", feed_types_.size(), " feeds (", Join(feed_names_, ", "), "), found ", feeds.size()));
  }
  for (size_t i = 0; i < feeds.size(); ++i) {
    if (feeds[i].dtype != feed_types_[i]) [[unlikely]] {
      return InvalidArgument(Cat("feed '", feed_names_[i], "': expected ", DTypeName(feed_types_[i]), ", found ",
                                 DTypeName(feeds[i].dtype)));
    }
    if (feeds[i].rank < 0 || feeds[i].rank > Shape::kMaxRank) [[unlikely]] {
      return InvalidArgument(
          Cat("feed '", feed_names_[i], "': expected a rank from 0 to ", Shape::kMaxRank, ", found ", feeds[i].rank));
    }
    if (feeds[i].data == nullptr) [[unlikely]] {
      const std::span<const int64_t> dims = feeds[i].shape();
      if (std::find(dims.begin(), dims.end(), 0) != dims.end()) continue;
      return InvalidArgument(Cat("feed '", feed_names_[i], "': expected elements, found no memory"));
    }
  }
  return OkStatus();
}

Result<std::shared_ptr<const Binding>> PlanCallable::FindBinding(std::span<const TensorView> feeds) {
  const DefaultFloatState floats;  // sizes may be computed from floating-point numbers
  const std::lock_guard lock(bindings_mutex_);
  ++uses_;
  for (Bound& bound : bindings_) {
    if (!bound.binding->Matches(feeds)) continue;
    bound.last_use = uses_;
    return bound.binding;
  }
  MR_ASSIGN_OR_RETURN(std::shared_ptr<const Binding> made, Binding::Make(*plan_, signature_->block, signature_, feeds));
  if (bindings_.size() >= kMaxBindings) {
    bindings_.erase(std::min_element(bindings_.begin(), bindings_.end(),
                                     [](const Bound& a, const Bound& b) { return a.last_use < b.last_use; }));
  }
  bindings_.push_back({made, uses_});
  return made;
}

Result<Frame*> PlanCallable::Acquire(std::span<const TensorView> feeds) {
  Frame* frame = hot_.exchange(nullptr, std::memory_order_seq_cst);
  if (closed_.load(std::memory_order_seq_cst)) [[unlikely]] {
    if (frame != nullptr) Release(frame);
    return ClosedError();
  }
  if (frame != nullptr && frame->binding() != nullptr && frame->binding()->Matches(feeds)) [[likely]]
    return frame;
  {
    const std::lock_guard lock(frames_mutex_);
    if (closed_.load(std::memory_order_seq_cst)) {
      if (frame != nullptr) idle_.push_back(frame);
      return ClosedError();
    }
    for (Frame*& other : idle_) {
      if (other->binding() == nullptr || !other->binding()->Matches(feeds)) continue;
      Frame* found = other;
      if (frame != nullptr) {
        other = frame;
      } else {
        other = idle_.back();
        idle_.pop_back();
      }
      return found;
    }
    if (frame == nullptr) {
      if (!idle_.empty()) {
        frame = idle_.back();
        idle_.pop_back();
      } else {
        frames_.push_back(std::make_unique<Frame>(*plan_, signature_->block));
        idle_.reserve(frames_.capacity());
        frame = frames_.back().get();
      }
    }
  }
  Result<std::shared_ptr<const Binding>> binding = FindBinding(feeds);
  Status status = binding.ok() ? frame->Fit(std::move(*binding)) : binding.status();
  if (!status.ok()) {
    Release(frame);
    return status;
  }
  return frame;
}

void PlanCallable::Release(Frame* frame) {
  Frame* expected = nullptr;
  if (hot_.compare_exchange_strong(expected, frame, std::memory_order_seq_cst)) return;
  const std::lock_guard lock(frames_mutex_);
  idle_.push_back(frame);
}

Status PlanCallable::RunToSink(std::span<const TensorView> feeds, ResultSink& sink, const RunOptions& options,
                               RunMetadata* metadata) {
  MR_RETURN_IF_ERROR(CheckFeeds(feeds));
  MR_ASSIGN_OR_RETURN(Frame * frame, Acquire(feeds));
  Status status = RunInFrame(*frame, feeds, sink, options, metadata);
  frame->EndRun();
  Release(frame);
  return status;
}

Status PlanCallable::RunInFrame(Frame& frame, std::span<const TensorView> feeds, ResultSink& sink,
                                const RunOptions& options, RunMetadata* metadata) {
  const Binding& binding = *frame.binding();
  const std::vector<BoundValue>& bound = binding.values();
  const LoadedBlock& block = frame.block();
  for (size_t i = 0; i < feeds.size(); ++i) frame.SetArgument(i, feeds[i].data);

  // Memory for the results that have known sizes; where they can be computed
  // there at once, they are.
  std::vector<ResultPlace>& places = frame.result_places();
  places.assign(results_.size(), {});
  for (size_t i = 0; i < results_.size(); ++i) {
    const ResultInfo& result = results_[i];
    const BoundValue& value = bound[result.value];
    const Storage storage = block.values[result.root].storage;
    if (storage == Storage::kLate || storage == Storage::kResource || IsObject(block.values[result.value].dtype))
      continue;
    MR_RETURN_IF_ERROR(sink.Place(i, block.values[result.value].dtype, {value.dims, static_cast<size_t>(value.rank)},
                                  &places[i].data));
    if (!result.placed_in_slot) continue;
    places[i].in_place = places[i].data != nullptr;
    if (sink.may_overlap_feeds()) {
      for (size_t f = 0; f < feeds.size(); ++f) {
        const size_t bytes = bound[block.def->arguments[f]].bytes;
        if (Overlaps(places[i].data, value.bytes, feeds[f].data, bytes)) places[i].in_place = false;
      }
    }
    frame.Place(result.root, places[i].in_place ? places[i].data : nullptr);
  }

  RunState run(options);
  run.metadata = metadata;
  if (metadata != nullptr) {
    run.start_ns = NowNanos();
    *metadata = RunMetadata();
  }
  {
    const FlushDenormals flush;
    MR_RETURN_IF_ERROR(frame.Run(run));
  }

  for (size_t i = 0; i < results_.size(); ++i) {
    const ResultInfo& result = results_[i];
    if (places[i].in_place) continue;
    const TensorView& view = frame.value(result.value);
    const LoadedValue& root = block.values[result.root];
    if (places[i].data != nullptr) {
      if (bound[result.value].bytes != 0) std::memcpy(places[i].data, view.data, bound[result.value].bytes);
      continue;
    }
    if (root.storage == Storage::kLate) {
      Tensor& late = frame.late(result.root);
      Tensor tensor = late.Reshaped(Shape(view.shape()));
      if (result.last_of_root) late = Tensor();
      const bool exclusive = tensor.buffer().unique();
      MR_RETURN_IF_ERROR(sink.Take(i, std::move(tensor), exclusive));
    } else if (root.storage == Storage::kResource) {
      Result<Tensor> content = ReadVariable(*plan_->resources()[root.index]);
      if (!content.ok()) return content.status();
      MR_RETURN_IF_ERROR(sink.Take(i, std::move(*content), false));
    } else if (IsObject(view.dtype)) {
      Buffer borrowed = Buffer::Borrow(view.data, static_cast<size_t>(view.num_elements) * sizeof(std::string));
      MR_RETURN_IF_ERROR(sink.Take(i, Tensor(view.dtype, Shape(view.shape()), std::move(borrowed)), false));
    }
  }
  return OkStatus();
}

Status PlanCallable::Run(const std::vector<Tensor>& feeds, std::vector<Tensor>* fetches, const RunOptions& options,
                         RunMetadata* metadata) {
  absl::InlinedVector<TensorView, 8> views;
  views.reserve(feeds.size());
  for (const Tensor& feed : feeds) views.push_back(feed.view());
  fetches->assign(results_.size(), Tensor());
  TensorSink sink(fetches, environment_->allocator());
  Status status = RunToSink({views.data(), views.size()}, sink, options, metadata);
  if (!status.ok()) fetches->clear();
  return status;
}

Status PlanCallable::RunInto(std::span<const TensorView> feeds, std::span<const TensorView> outputs,
                             const RunOptions& options) {
  if (outputs.size() != results_.size()) {
    return InvalidArgument(
        Cat("expected ", results_.size(), " outputs (", Join(fetch_names_, ", "), "), found ", outputs.size()));
  }
  ViewSink sink(outputs, fetch_names_);
  return RunToSink(feeds, sink, options, nullptr);
}

}  // namespace millrace::exec
