// Comparing tensors, with a tolerance and bit by bit.
#pragma once

#include <string>

#include "millrace/devices/api/tensor.h"

namespace millrace::end_to_end {

// "" where |found - expected| <= atol + rtol |expected| for every element (NaN
// equals NaN, infinities match by sign, other types are equal); else what
// differs first, and the largest difference in tolerances.
std::string Difference(const Tensor& found, const Tensor& expected, double rtol, double atol);

// "" where dtype, shape and every bit are equal; NaNs are all alike.
std::string BitDifference(const Tensor& found, const Tensor& expected);

// A hash of dtype, shape and every bit, NaNs all alike, on top of `seed`.
uint64_t Digest(const Tensor& tensor, uint64_t seed);

}  // namespace millrace::end_to_end
