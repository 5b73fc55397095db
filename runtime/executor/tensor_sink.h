// TensorSink: results of a run as new tensors.
#pragma once

#include <utility>
#include <vector>

#include "millrace/runtime/executor/plan_runner.h"

namespace millrace {

class TensorSink final : public ResultSink {
 public:
  // Result i goes to (*out)[i], which is there. `shared`, where it is not empty: those
  // of which true stands there are only read, and may share memory with a variable or a
  // constant.
  TensorSink(std::vector<Tensor>* out, Allocator& allocator, std::vector<bool> shared = {})
      : out_(*out), allocator_(allocator), shared_(std::move(shared)) {}
  Status Place(size_t i, DType dtype, std::span<const int64_t> dims, void** data) override;
  Status Take(size_t i, Tensor tensor, bool exclusive) override;

 private:
  std::vector<Tensor>& out_;
  Allocator& allocator_;
  const std::vector<bool> shared_;
};

}  // namespace millrace
