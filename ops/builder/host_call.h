// HostCall: a node that calls a function of the program, the original's py_func.
#pragma once

#include <vector>

#include "millrace/ops/builder/scope.h"
#include "millrace/ops/user/callback.h"

namespace millrace {

struct HostCallOptions {
  // Whether the function does more than compute its outputs from its inputs: such
  // a node runs at every run that asks for it, and is never merged or folded.
  bool stateful = true;
};

// A node that calls `callback` with `inputs` and answers tensors of the dtypes
// `outputs`, whose shapes are known only then (see Callback for what the function
// may do). The callback is registered as long as the graph lives; the graph runs
// in this process only. There is no gradient unless the scope names one:
// scope.WithGradientOverride("PyFunc", "MyGradient").
std::vector<Output> HostCall(At at, Callback callback, const std::vector<Output>& inputs,
                             const std::vector<DType>& outputs, const HostCallOptions& options = {});

}  // namespace millrace
