#include "millrace/runtime/session/partial_run.h"

#include <algorithm>

#include "millrace/ops/graph/tensor_name.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/executor/tensor_sink.h"
#include "millrace/runtime/session/part_source.h"
#include "millrace/runtime/session/parts.h"

namespace millrace {
namespace {

std::map<std::string, size_t> Numbered(const std::vector<std::string>& names) {
  std::map<std::string, size_t> numbers;
  for (size_t i = 0; i < names.size(); ++i) numbers.emplace(names[i], i);
  return numbers;
}

}  // namespace

// A value that comes with a call.
struct PartialRun::Feed {
  std::string name;
  TensorView view;
  Tensor shared;  // that the view is of; none where the memory is the host's

  Result<Tensor> Keep(Allocator& allocator) const {
    if (shared.valid()) return shared;
    std::vector<Tensor> copy(1);
    MR_RETURN_IF_ERROR(TensorSink(&copy, allocator)
                           .Take(0, Tensor(view.dtype, Shape(view.shape()), Buffer::Borrow(view.data, view.bytes())),
                                 /*exclusive=*/false));
    return std::move(copy[0]);
  }
};

PartialRun::PartialRun(const SignatureSpec& declared, std::vector<DType> feed_types, Parts parts,
                       std::weak_ptr<PartSource> source)
    : feed_types_(std::move(feed_types)),
      feeds_(Numbered(declared.feeds)),
      fetches_(Numbered(declared.fetches)),
      parts_(std::make_unique<const Parts>(std::move(parts))),
      source_(std::move(source)),
      state_(std::make_unique<PartState>(parts_->Start())) {}

PartialRun::~PartialRun() = default;

bool PartialRun::over() const {
  const std::lock_guard lock(mutex_);
  return state_ == nullptr;
}

void PartialRun::End() {
  state_ = nullptr;
  values_.clear();
}

Result<std::vector<size_t>> PartialRun::FeedNumbers(std::span<const Feed> feeds) const {
  std::vector<size_t> numbers;
  for (const Feed& feed : feeds) {
    const auto it = feeds_.find(feed.name);
    if (it == feeds_.end()) return InvalidArgument(Cat("feed '", feed.name, "': the run was not set up with it"));
    const size_t number = it->second;
    if (state_->given[number] || std::ranges::find(numbers, number) != numbers.end()) {
      return InvalidArgument(Cat("feed '", feed.name, "' is given twice"));
    }
    if (feed.view.dtype != feed_types_[number]) {
      return InvalidArgument(Cat("feed '", feed.name, "': expected ", DTypeName(feed_types_[number]), ", found ",
                                 DTypeName(feed.view.dtype)));
    }
    if (feed.view.data == nullptr && feed.view.num_elements != 0) {
      return InvalidArgument(Cat("feed '", feed.name, "': expected elements, found no memory"));
    }
    numbers.push_back(number);
  }
  return numbers;
}

Result<std::vector<size_t>> PartialRun::FetchNumbers(const std::vector<std::string>& fetches) const {
  std::vector<size_t> numbers;
  for (const std::string& fetch : fetches) {
    const auto it = fetches_.find(fetch);
    if (it == fetches_.end()) return InvalidArgument(Cat("fetch '", fetch, "': the run was not set up with it"));
    if (state_->asked[it->second]) return InvalidArgument(Cat("fetch '", fetch, "' was asked for before"));
    numbers.push_back(it->second);
  }
  return numbers;
}

Result<std::vector<Tensor>> PartialRun::RunPart(std::span<const Feed> feeds, const std::vector<std::string>& asked,
                                                const RunOptions& options, RunMetadata* metadata) {
  std::vector<std::string> fetches;
  for (const std::string& name : asked) fetches.push_back(FullTensorName(name));
  const RunOptions timed = FromNow(options);
  const RunLimit limit(timed);
  std::unique_lock lock(mutex_, std::defer_lock);
  MR_RETURN_IF_ERROR(limit.Acquire(lock));
  if (state_ == nullptr) return InvalidArgument("the partial run is over");
  const std::shared_ptr<PartSource> source = source_.lock();  // with the graph
  if (source == nullptr) return FailedPrecondition("the session is closed");
  MR_ASSIGN_OR_RETURN(const std::vector<size_t> feed_numbers, FeedNumbers(feeds));
  MR_ASSIGN_OR_RETURN(const std::vector<size_t> fetch_numbers, FetchNumbers(fetches));
  MR_ASSIGN_OR_RETURN(Part part, parts_->Next(*state_, feed_numbers, fetch_numbers));
  MR_ASSIGN_OR_RETURN(const std::shared_ptr<SinkCallable> callable, source->FindPart(part.spec, limit));
  if (metadata != nullptr) *metadata = RunMetadata();

  // What is there by now, by name: feeds of this call, then what was kept.
  const auto given = [&](const std::string& name) { return std::ranges::find(feeds, name, &Feed::name); };
  std::vector<Tensor> results(part.spec.fetches.size());
  if (callable != nullptr) {
    std::vector<TensorView> views;
    for (const std::string& name : part.spec.feeds) {
      const auto feed = given(name);
      views.push_back(feed != feeds.end() ? feed->view : values_.at(name).view());
    }
    // Those that are only kept may share memory with variables.
    std::vector<bool> shared;
    for (const std::string& name : part.spec.fetches)
      shared.push_back(std::ranges::find(fetches, name) == fetches.end());
    TensorSink sink(&results, source->allocator(), std::move(shared));
    Status status = callable->RunToSink({views.data(), views.size()}, sink, timed, metadata);
    if (!status.ok()) {
      End();
      return status;
    }
  }

  std::map<std::string, Tensor> here = std::move(values_), kept;
  values_.clear();
  for (size_t i = 0; i < results.size(); ++i) here[part.spec.fetches[i]] = std::move(results[i]);
  Status status;
  for (const Feed& feed : feeds) {
    const bool read_later = std::ranges::binary_search(part.kept, feed.name);
    if (!read_later && std::ranges::find(fetches, feed.name) == fetches.end()) continue;
    Result<Tensor> value = feed.Keep(source->allocator());
    if (value.ok()) here[feed.name] = *std::move(value);
    else status = value.status();
  }
  for (const std::string& name : part.kept) kept[name] = here[name];
  std::vector<Tensor> out(fetches.size());
  TensorSink sink(&out, source->allocator());
  for (size_t i = 0; i < fetches.size() && status.ok(); ++i) {
    const bool last =
        std::find(fetches.begin() + static_cast<std::ptrdiff_t>(i) + 1, fetches.end(), fetches[i]) == fetches.end();
    Tensor value = last ? std::move(here[fetches[i]]) : here[fetches[i]];
    const bool exclusive = value.buffer().unique();
    status = sink.Take(i, std::move(value), exclusive);
  }
  if (!status.ok()) {
    End();
    return status;
  }
  values_ = std::move(kept);
  *state_ = std::move(part.after);
  const auto all = [](const std::vector<bool>& flags) { return std::ranges::find(flags, false) == flags.end(); };
  if (all(state_->given) && all(state_->asked)) End();
  return out;
}

Result<std::vector<Tensor>> PartialRun::Run(const std::vector<std::pair<std::string, Tensor>>& feeds,
                                            const std::vector<std::string>& fetches, const RunOptions& options,
                                            RunMetadata* metadata) {
  std::vector<Feed> given;
  for (const auto& [name, value] : feeds) given.push_back({FullTensorName(name), value.view(), value});
  return RunPart(given, fetches, options, metadata);
}

Result<std::vector<Tensor>> PartialRun::RunViews(std::span<const std::pair<std::string, TensorView>> feeds,
                                                 const std::vector<std::string>& fetches, const RunOptions& options,
                                                 RunMetadata* metadata) {
  std::vector<Feed> given;
  for (const auto& [name, view] : feeds) given.push_back({FullTensorName(name), view, Tensor()});
  return RunPart(given, fetches, options, metadata);
}

}  // namespace millrace
