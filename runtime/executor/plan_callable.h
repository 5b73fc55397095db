// PlanCallable: one signature of a loaded plan, with its bindings and its pool
// of frames.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "millrace/runtime/executor/frame.h"
#include "millrace/runtime/executor/plan_runner.h"

namespace millrace::exec {

class PlanCallable final : public SinkCallable {
 public:
  PlanCallable(std::shared_ptr<const LoadedPlan> plan, size_t signature);
  ~PlanCallable() override;

  const std::vector<std::string>& feed_names() const override { return feed_names_; }
  const std::vector<std::string>& fetch_names() const override { return fetch_names_; }
  Status Run(const std::vector<Tensor>& feeds, std::vector<Tensor>* fetches, const RunOptions& options,
             RunMetadata* metadata) override;
  Status RunInto(std::span<const TensorView> feeds, std::span<const TensorView> outputs,
                 const RunOptions& options) override;
  Status RunToSink(std::span<const TensorView> feeds, ResultSink& sink, const RunOptions& options,
                   RunMetadata* metadata) override;
  void Close() override;

 private:
  struct ResultInfo {
    uint32_t value, root;
    bool placed_in_slot;  // its root lives in a slot, and no earlier result has that root
    bool last_of_root;    // no later result has that root
  };

  Status CheckFeeds(std::span<const TensorView> feeds) const;
  // A frame fit for these feeds; give it back with Release.
  Result<Frame*> Acquire(std::span<const TensorView> feeds);
  void Release(Frame* frame);
  Result<std::shared_ptr<const Binding>> FindBinding(std::span<const TensorView> feeds);
  Status RunInFrame(Frame& frame, std::span<const TensorView> feeds, ResultSink& sink, const RunOptions& options,
                    RunMetadata* metadata);

  std::vector<std::string> feed_names_, fetch_names_;
  std::vector<DType> feed_types_;
  std::vector<ResultInfo> results_;
  const std::shared_ptr<Environment> environment_;
  std::shared_ptr<const LoadedPlan> plan_;  // gone after Close
  const plan::Signature* signature_;

  std::atomic<bool> closed_{false};
  // The frame that ran last waits here; others in `idle_`.
  std::atomic<Frame*> hot_{nullptr};
  std::mutex frames_mutex_;
  std::vector<Frame*> idle_;
  std::vector<std::unique_ptr<Frame>> frames_;

  struct Bound {
    std::shared_ptr<const Binding> binding;
    uint64_t last_use;
  };
  std::mutex bindings_mutex_;
  std::vector<Bound> bindings_;
  uint64_t uses_ = 0;
};

}  // namespace millrace::exec
