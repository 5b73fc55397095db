// Writing slices of a tensor by index: what ScatterAdd, ScatterNd,
// TensorScatterUpdate and their relatives share.
#pragma once

#include <span>

#include "millrace/devices/api/tensor.h"
#include "millrace/ops/kernel/checkpoint.h"
#include "millrace/proto/value/status.h"

namespace millrace::array {

enum class ScatterWay { kUpdate, kAdd, kSub, kMul, kDiv, kMin, kMax };

// Index i, of `depth` numbers, names a slice of `target` by its first `depth`
// dimensions, which is combined with slice i of `updates` (or with its one
// element). In the order of the indices, in the caller's thread, so that equal
// ones give the same bits in every run. All indices are checked before anything
// is written: InvalidArgument names the first that is out of range, and integer
// division by zero. Cancelled where `checkpoint` says so; null where the target is
// state, which is written to the end.
Status ScatterSlices(ScatterWay way, const TensorView& target, const TensorView& indices, int64_t count, int depth,
                     const TensorView& updates, Checkpoint* checkpoint);

}  // namespace millrace::array
