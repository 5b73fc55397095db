// PermutedCallable: a compiled signature under another order of its feeds and
// fetches, so that the order asked for does not cost a compile.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "millrace/runtime/executor/plan_runner.h"

namespace millrace {

class PermutedCallable final : public SinkCallable {
 public:
  // The names are those of `callable`, each as often, in any order.
  PermutedCallable(std::shared_ptr<SinkCallable> callable, std::vector<std::string> feeds,
                   std::vector<std::string> fetches);

  const std::vector<std::string>& feed_names() const override { return feed_names_; }
  const std::vector<std::string>& fetch_names() const override { return fetch_names_; }
  Status Run(const std::vector<Tensor>& feeds, std::vector<Tensor>* fetches, const RunOptions& options,
             RunMetadata* metadata) override;
  Status RunInto(std::span<const TensorView> feeds, std::span<const TensorView> outputs,
                 const RunOptions& options) override;
  Status RunToSink(std::span<const TensorView> feeds, ResultSink& sink, const RunOptions& options,
                   RunMetadata* metadata) override;
  void Close() override { callable_->Close(); }

 private:
  Status CheckCount(std::string_view what, size_t expected, size_t found) const;

  const std::shared_ptr<SinkCallable> callable_;
  const std::vector<std::string> feed_names_, fetch_names_;
  // Position in this order of the other's feed or fetch i.
  std::vector<size_t> feed_from_, fetch_to_;
};

}  // namespace millrace
