// Softmax of rows, for kernels that make the rows themselves: the same bits as
// the ops.
#pragma once

#include <cstdint>
#include <string_view>

#include "millrace/proto/value/dtype.h"

namespace millrace::nn {

// For one op and element type; thread-safe. `out` may be x. `workspace` has
// workspace_bytes for each element of a row, aligned to 16.
struct SoftmaxFunction {
  void (*rows)(const void* x, int64_t rows, int64_t n, void* out, void* workspace);
  int64_t workspace_bytes;
};

// Of "Softmax" or "LogSoftmax"; null for other ops and types without a kernel.
const SoftmaxFunction* FindSoftmax(std::string_view op, DType type);

}  // namespace millrace::nn
