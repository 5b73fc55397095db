// Arithmetic on outputs. A node is made in the scope of the left operand, or of
// the right one where the left is a number; it is named after its op.
#pragma once

#include "millrace/ops/builder/call.h"

namespace millrace {

Output operator+(const Output& x, const Operand& y);  // AddV2
Output operator-(const Output& x, const Operand& y);  // Sub
Output operator*(const Output& x, const Operand& y);  // Mul
// RealDiv for floating-point and complex dtypes; FloorDiv for whole numbers.
Output operator/(const Output& x, const Operand& y);
Output operator%(const Output& x, const Operand& y);  // FloorMod
Output operator-(const Output& x);                    // Neg
Output operator<(const Output& x, const Operand& y);  // Less
Output operator<=(const Output& x, const Operand& y);
Output operator>(const Output& x, const Operand& y);
Output operator>=(const Output& x, const Operand& y);
Output operator&&(const Output& x, const Operand& y);  // LogicalAnd
Output operator||(const Output& x, const Operand& y);  // LogicalOr
Output operator!(const Output& x);                     // LogicalNot
Output operator+(double x, const Output& y);
Output operator-(double x, const Output& y);
Output operator*(double x, const Output& y);
Output operator/(double x, const Output& y);

}  // namespace millrace
