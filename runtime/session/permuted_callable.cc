#include "millrace/runtime/session/permuted_callable.h"

#include "absl/container/inlined_vector.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// For each of `inner`, where it is in `outer`; repeated names one after the other.
std::vector<size_t> Positions(const std::vector<std::string>& inner, const std::vector<std::string>& outer) {
  std::vector<size_t> positions;
  std::vector<bool> used(outer.size(), false);
  for (const std::string& name : inner) {
    size_t i = 0;
    while (i < outer.size() && (used[i] || outer[i] != name)) ++i;
    if (i < outer.size()) used[i] = true;
    positions.push_back(i);
  }
  return positions;
}

class PermutedSink final : public ResultSink {
 public:
  PermutedSink(ResultSink& sink, const std::vector<size_t>& to) : sink_(sink), to_(to) {}
  Status Place(size_t i, DType dtype, std::span<const int64_t> dims, void** data) override {
    return sink_.Place(to_[i], dtype, dims, data);
  }
  Status Take(size_t i, Tensor tensor, bool exclusive) override {
    return sink_.Take(to_[i], std::move(tensor), exclusive);
  }
  bool may_overlap_feeds() const override { return sink_.may_overlap_feeds(); }

 private:
  ResultSink& sink_;
  const std::vector<size_t>& to_;
};

}  // namespace

PermutedCallable::PermutedCallable(std::shared_ptr<SinkCallable> callable, std::vector<std::string> feeds,
                                   std::vector<std::string> fetches)
    : callable_(std::move(callable)),
      feed_names_(std::move(feeds)),
      fetch_names_(std::move(fetches)),
      feed_from_(Positions(callable_->feed_names(), feed_names_)),
      fetch_to_(Positions(callable_->fetch_names(), fetch_names_)) {}

Status PermutedCallable::CheckCount(std::string_view what, size_t expected, size_t found) const {
  if (expected == found) return OkStatus();
  return InvalidArgument(Cat("expected ", expected, " ", what, ", found ", found));
}

Status PermutedCallable::Run(const std::vector<Tensor>& feeds, std::vector<Tensor>* fetches, const RunOptions& options,
                             RunMetadata* metadata) {
  MR_RETURN_IF_ERROR(CheckCount("feeds", feed_names_.size(), feeds.size()));
  std::vector<Tensor> inner_feeds, inner_fetches;
  for (size_t i : feed_from_) inner_feeds.push_back(feeds[i]);
  Status status = callable_->Run(inner_feeds, &inner_fetches, options, metadata);
  fetches->assign(inner_fetches.size(), Tensor());
  for (size_t i = 0; i < inner_fetches.size(); ++i) (*fetches)[fetch_to_[i]] = std::move(inner_fetches[i]);
  return status;
}

Status PermutedCallable::RunInto(std::span<const TensorView> feeds, std::span<const TensorView> outputs,
                                 const RunOptions& options) {
  MR_RETURN_IF_ERROR(CheckCount("feeds", feed_names_.size(), feeds.size()));
  MR_RETURN_IF_ERROR(CheckCount("outputs", fetch_names_.size(), outputs.size()));
  absl::InlinedVector<TensorView, 8> inner_feeds, inner_outputs;
  for (size_t i : feed_from_) inner_feeds.push_back(feeds[i]);
  for (size_t i : fetch_to_) inner_outputs.push_back(outputs[i]);
  return callable_->RunInto({inner_feeds.data(), inner_feeds.size()}, {inner_outputs.data(), inner_outputs.size()},
                            options);
}

Status PermutedCallable::RunToSink(std::span<const TensorView> feeds, ResultSink& sink, const RunOptions& options,
                                   RunMetadata* metadata) {
  MR_RETURN_IF_ERROR(CheckCount("feeds", feed_names_.size(), feeds.size()));
  absl::InlinedVector<TensorView, 8> inner_feeds;
  for (size_t i : feed_from_) inner_feeds.push_back(feeds[i]);
  PermutedSink inner_sink(sink, fetch_to_);
  return callable_->RunToSink({inner_feeds.data(), inner_feeds.size()}, inner_sink, options, metadata);
}

}  // namespace millrace
