// Gradients of ops on two operands of matrices whose leading dimensions broadcast.
#pragma once

#include "millrace/ops/gradients/gradient_context.h"

namespace millrace::linalg {

// Sets the gradients of inputs 0 and 1, summed over the leading dimensions that
// the broadcast made.
void SetBatchGradients(GradientContext& g, const Output& by_first, const Output& by_second);

}  // namespace millrace::linalg
