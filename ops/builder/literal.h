// What becomes of literals. Internal to the builder.
#pragma once

#include <span>
#include <string>

#include "millrace/ops/builder/operand.h"

namespace millrace {

// Whether every element has a value of `dtype`: whole numbers in range, fractions
// only in floating-point and complex types, where a finite number stays finite;
// booleans and strings only as such. An empty list is held by all of them.
bool CanHold(DType dtype, const Literal& literal);
// What literals that share a dtype have by themselves: see Literal. There is at
// least one.
DType NaturalDType(std::span<const Literal* const> literals);
// ResourceExhausted where memory is short. CanHold(dtype, literal).
Result<Tensor> ToTensor(const Literal& literal, DType dtype);
// "2", "[0.5, 1]", "'text'"; long lists are cut.
std::string ToString(const Literal& literal);

}  // namespace millrace
