#include "millrace/runtime/session/ranked_callable.h"

#include <algorithm>

#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// Tensors of more axes are a mistake more often than a model.
constexpr int kMostRank = 8;

}  // namespace

Result<std::shared_ptr<SinkCallable>> RankedCallable::General(const RunLimit& limit) {
  if (general_ == nullptr) {
    MR_ASSIGN_OR_RETURN(general_, compile_({}, limit));
  }
  return general_;
}

template <typename RankOf>
Result<std::shared_ptr<SinkCallable>> RankedCallable::Choose(size_t count, const RankOf& rank_of,
                                                             const RunLimit& limit) {
  if (count != feed_names_.size()) {
    return InvalidArgument(Cat("expected ", feed_names_.size(), " feeds, found ", count));
  }
  std::unique_lock lock(mutex_, std::defer_lock);
  MR_RETURN_IF_ERROR(limit.Acquire(lock));
  if (closed_) return FailedPrecondition("the session is closed");
  const auto fits = [&](const Plan& p) {
    return std::ranges::all_of(open_, [&](size_t i) { return p.ranks[i] == rank_of(i); });
  };
  if (const auto it = std::ranges::find_if(plans_, fits); it != plans_.end()) return it->callable;
  if (plans_.size() == kMostPlans || std::ranges::any_of(open_, [&](size_t i) { return rank_of(i) > kMostRank; })) {
    return General(limit);
  }
  std::vector<int> ranks(feed_names_.size(), -1);
  for (const size_t i : open_) ranks[i] = rank_of(i);
  Result<std::shared_ptr<SinkCallable>> made = compile_(ranks, limit);
  // Some node does not take such a rank: whether a run reaches it, the run says.
  if (!made.ok() && !(limit.any() && limit.Reached())) made = General(limit);
  if (!made.ok()) return made.status();
  plans_.push_back({std::move(ranks), *made});
  return std::move(*made);
}

Status RankedCallable::Run(const std::vector<Tensor>& feeds, std::vector<Tensor>* fetches, const RunOptions& options,
                           RunMetadata* metadata) {
  const RunOptions timed = FromNow(options);
  MR_ASSIGN_OR_RETURN(
      std::shared_ptr<SinkCallable> callable,
      Choose(feeds.size(), [&](size_t i) { return feeds[i].valid() ? feeds[i].shape().rank() : 0; }, RunLimit(timed)));
  return callable->Run(feeds, fetches, timed, metadata);
}

Status RankedCallable::RunInto(std::span<const TensorView> feeds, std::span<const TensorView> outputs,
                               const RunOptions& options) {
  const RunOptions timed = FromNow(options);
  MR_ASSIGN_OR_RETURN(std::shared_ptr<SinkCallable> callable,
                      Choose(feeds.size(), [&](size_t i) { return feeds[i].rank; }, RunLimit(timed)));
  return callable->RunInto(feeds, outputs, timed);
}

Status RankedCallable::RunToSink(std::span<const TensorView> feeds, ResultSink& sink, const RunOptions& options,
                                 RunMetadata* metadata) {
  const RunOptions timed = FromNow(options);
  MR_ASSIGN_OR_RETURN(std::shared_ptr<SinkCallable> callable,
                      Choose(feeds.size(), [&](size_t i) { return feeds[i].rank; }, RunLimit(timed)));
  return callable->RunToSink(feeds, sink, timed, metadata);
}

void RankedCallable::Close() {
  std::vector<std::shared_ptr<SinkCallable>> all;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (Plan& plan : plans_) all.push_back(std::move(plan.callable));
    all.push_back(std::move(general_));
    plans_.clear();
  }
  for (const auto& callable : all)
    if (callable != nullptr) callable->Close();
}

}  // namespace millrace
