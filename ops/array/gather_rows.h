// Gathering along one dimension: for Gather, GatherV2 and ResourceGather.
#pragma once

#include "millrace/ops/kernel/kernel.h"

namespace millrace::array {

// params is [batches, outer, rows, inner], indices [batches, indices], the result
// [batches, outer, indices, inner].
struct GatherShape {
  int64_t batches = 1, outer = 1, rows = 1, indices = 1, inner = 1;
};
// InvalidArgument names the first index that is not in [0, rows).
Status GatherRows(KernelContext& ctx, const GatherShape& shape, const TensorView& params, const TensorView& indices,
                  void* out);

}  // namespace millrace::array
