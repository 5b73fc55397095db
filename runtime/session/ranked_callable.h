// RankedCallable: a signature with feeds whose rank the graph leaves open. Runs go
// to plans compiled for the ranks that come, a few of them, and to one for all ranks.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "millrace/runtime/executor/plan_runner.h"
#include "millrace/runtime/executor/run_limit.h"

namespace millrace {

class RankedCallable final : public SinkCallable {
 public:
  // Combinations of ranks that get a plan of their own; others share the general one.
  static constexpr size_t kMostPlans = 4;

  // Compiles for these ranks of the feeds, -1 where the graph knows it; empty: for
  // any. Called under a lock, once for each plan; ends at the limit of the run that
  // asked.
  using Compile =
      std::function<Result<std::shared_ptr<SinkCallable>>(const std::vector<int>& ranks, const RunLimit& limit)>;

  // `open`: positions of the feeds without a rank, at least one.
  RankedCallable(std::vector<std::string> feeds, std::vector<std::string> fetches, std::vector<size_t> open,
                 Compile compile)
      : feed_names_(std::move(feeds)),
        fetch_names_(std::move(fetches)),
        open_(std::move(open)),
        compile_(std::move(compile)) {}

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
  struct Plan {
    std::vector<int> ranks;
    std::shared_ptr<SinkCallable> callable;  // the general one where these ranks could not be compiled
  };

  // rank_of(i): the rank of feed i of `count`.
  template <typename RankOf>
  Result<std::shared_ptr<SinkCallable>> Choose(size_t count, const RankOf& rank_of, const RunLimit& limit);
  Result<std::shared_ptr<SinkCallable>> General(const RunLimit& limit);  // under the lock

  const std::vector<std::string> feed_names_, fetch_names_;
  const std::vector<size_t> open_;
  const Compile compile_;
  std::timed_mutex mutex_;
  bool closed_ = false;                    // guarded by mutex_, as are those below
  std::vector<Plan> plans_;                // at most kMostPlans
  std::shared_ptr<SinkCallable> general_;  // made when it is needed
};

}  // namespace millrace
