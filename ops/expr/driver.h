// The driver: runs a body over tensors. Broadcasting, tails and the cutting into
// blocks are here, once, so that a body is only an inner loop.
#pragma once

#include <span>

#include "millrace/ops/expr/body.h"
#include "millrace/ops/kernel/kernel.h"

namespace millrace {

// out = body(operands...), with the operands broadcast to out's shape (the shape
// function has checked that they do). `out` may be exactly the memory of an
// operand of the same size in elements and bytes. Allocates nothing. The blocks
// that threads take have boundaries that depend on the shapes and `cycles` alone.
void RunBody(KernelContext& ctx, const Body& body, std::span<const TensorView> operands, const TensorView& out,
             float cycles);

// The same in the calling thread.
void RunBody(const Body& body, std::span<const TensorView> operands, const TensorView& out);

// element(i, at): for each element i of `out`, the elements at[j] of the operands
// that meet there. For element types without bodies (strings).
void ForEachBroadcast(std::span<const TensorView> operands, const TensorView& out,
                      absl::FunctionRef<void(int64_t i, const int64_t* at)> element);

}  // namespace millrace
