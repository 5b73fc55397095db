// What goes into a run, and what comes out of it, as the C interface has them.
#pragma once

#include <forward_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/runtime/c_api/internal.h"
#include "millrace/runtime/executor/plan_runner.h"

namespace millrace::c_api {

// "node:0" of each. Errors begin with `what`.
Result<std::vector<std::string>> NamesOf(std::span<const TF_Output> outputs, std::string_view what);
// Of nodes to run for their effects.
Result<std::vector<std::string>> TargetNames(std::span<const TF_Operation* const> targets);

// The tensor that is fed; one of strings is copied into `copies` first. InvalidArgument
// with the feed's name for null and for strings that cannot be read.
Result<TensorView> ViewOf(const TF_Tensor* value, std::string_view feed, std::forward_list<Tensor>* copies);

// Results in tensors of the C interface.
class TensorSink final : public ResultSink {
 public:
  explicit TensorSink(TF_Tensor** out) : out_(out) {}
  Status Place(size_t i, DType dtype, std::span<const int64_t> dims, void** data) override;
  Status Take(size_t i, Tensor tensor, bool exclusive) override;

 private:
  Status Allocate(size_t i, DType dtype, std::span<const int64_t> dims, int64_t elements, void** data);
  TF_Tensor** out_;
};

// After an error: no results.
void DropResults(TF_Tensor** out, int count);

}  // namespace millrace::c_api
