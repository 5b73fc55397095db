// What goes into a run, and what comes out of it, as the C interface has them.
#pragma once

#include <forward_list>
#include <string>
#include <string_view>

#include "millrace/runtime/c_api/internal.h"
#include "millrace/runtime/executor/plan_runner.h"

namespace millrace::c_api {

// "node:0". Errors begin with `what`.
Result<std::string> NameOf(const TF_Output& output, std::string_view what);

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
