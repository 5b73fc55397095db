// What Session and the C ABI need of the executor beyond runner.h: runners of
// plans that never were bytes, and results put where the caller wants them.
#pragma once

#include <memory>
#include <span>

#include "millrace/runtime/executor/runner.h"
#include "millrace/runtime/plan/environment.h"

namespace millrace {

// Where the results of one run go. Called in the caller's thread.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  // Before the run, for a result of a plain dtype whose dims the feeds decide:
  // sets `data` to memory for it.
  virtual Status Place(size_t i, DType dtype, std::span<const int64_t> dims, void** data) = 0;
  // After the run, for the others. `exclusive`: nobody else holds the tensor's
  // memory, so it may be handed out; otherwise a copy is wanted.
  virtual Status Take(size_t i, Tensor tensor, bool exclusive) = 0;
  // True where the memory that Place gives may overlap that of feeds.
  virtual bool may_overlap_feeds() const { return false; }
};

class SinkCallable : public Callable {
 public:
  // As Run, with results in `sink`; `metadata` may be null.
  virtual Status RunToSink(std::span<const TensorView> feeds, ResultSink& sink, const RunOptions& options,
                           RunMetadata* metadata) = 0;
  // Later runs fail with FailedPrecondition; returns when those in progress have
  // ended, and frees what they used.
  virtual void Close() = 0;
};

// A runner of `plan`, with the variables and threads of `environment`. The
// callables that it prepares are SinkCallables. `keep_alive` is what the plan's
// constants point into.
Result<std::unique_ptr<Runner>> NewPlanRunner(plan::Plan plan, std::shared_ptr<Environment> environment,
                                              std::shared_ptr<const void> keep_alive = nullptr);

}  // namespace millrace
