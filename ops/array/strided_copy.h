// StridedCopy: the engine behind slices, transposes, broadcasts, tiles, pads and
// every other op that only moves elements.
#pragma once

#include <span>

#include "millrace/ops/array/operands.h"
#include "millrace/ops/kernel/kernel.h"

namespace millrace::array {

// to[sum i_k to_strides[k]] = from[sum i_k from_strides[k]] for all i below dims.
// Strides count elements and may be 0 (a broadcast, `from` only) or negative. The
// two ranges must not overlap. Runs over the context's threads.
void StridedCopy(KernelContext& ctx, DType dtype, std::span<const int64_t> dims, const void* from,
                 std::span<const int64_t> from_strides, void* to, std::span<const int64_t> to_strides);

// `count` elements in a row.
void CopyElements(KernelContext& ctx, DType dtype, const void* from, void* to, int64_t count);
// All `count` elements become *value.
void FillElements(KernelContext& ctx, DType dtype, const void* value, void* to, int64_t count);
// Zero, false, the empty string, the null object.
void ZeroElements(KernelContext& ctx, DType dtype, void* to, int64_t count);

}  // namespace millrace::array
