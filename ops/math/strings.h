// Kernels of element-wise ops on strings.
#pragma once

#include "millrace/ops/kernel/kernel.h"

namespace millrace::math {

// Output 0 is input 0 followed by input 1, element by element, with broadcasting.
Status JoinStrings(KernelContext& ctx);

}  // namespace millrace::math
