// What element-wise kernels check in their operands before they compute.
#pragma once

#include <span>

#include "millrace/devices/api/tensor.h"

namespace millrace::math {

// InvalidArgument where operand 1 is of an integer type and has a 0.
Status CheckDivisor(std::span<const TensorView> operands);
// The same with the code that the reference gives for TruncateDiv.
Status CheckTruncatedDivisor(std::span<const TensorView> operands);
// InvalidArgument where operand 1 is of an integer type and has a negative element.
Status CheckExponent(std::span<const TensorView> operands);

}  // namespace millrace::math
