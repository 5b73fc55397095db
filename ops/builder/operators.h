// Arithmetic on outputs. A node is made in the scope of the left operand, or of
// the right one where the left is a number; it is named after its op.
#pragma once

#include <concepts>
#include <source_location>
#include <type_traits>

#include "millrace/ops/builder/call.h"

namespace millrace {

namespace operators {

// An output on the left, and the line of the program where it stands.
struct Left {
  template <std::convertible_to<Output> T>
  Left(const T& output, std::source_location where = std::source_location::current())  // NOLINT: implicit on purpose
      : output(output), where(where) {}
  Output output;
  std::source_location where;
};

// A number on the left of an output.
struct Number {
  template <typename T>
    requires std::is_arithmetic_v<T>
  Number(T value)  // NOLINT: implicit on purpose
      : operand(static_cast<std::conditional_t<std::is_floating_point_v<T>, double,
                                               std::conditional_t<std::is_same_v<T, bool>, bool, int64_t>>>(value)) {}
  Operand operand;
};

}  // namespace operators

Output operator+(const operators::Left& x, const Operand& y);  // AddV2
Output operator-(const operators::Left& x, const Operand& y);  // Sub
Output operator*(const operators::Left& x, const Operand& y);  // Mul
// RealDiv for floating-point and complex dtypes; FloorDiv for whole numbers.
Output operator/(const operators::Left& x, const Operand& y);
Output operator%(const operators::Left& x, const Operand& y);  // FloorMod
Output operator-(const operators::Left& x);                    // Neg
Output operator<(const operators::Left& x, const Operand& y);  // Less
Output operator<=(const operators::Left& x, const Operand& y);
Output operator>(const operators::Left& x, const Operand& y);
Output operator>=(const operators::Left& x, const Operand& y);
Output operator&&(const operators::Left& x, const Operand& y);  // LogicalAnd
Output operator||(const operators::Left& x, const Operand& y);  // LogicalOr
Output operator!(const operators::Left& x);                     // LogicalNot
Output operator+(const operators::Number& x, const operators::Left& y);
Output operator-(const operators::Number& x, const operators::Left& y);
Output operator*(const operators::Number& x, const operators::Left& y);
Output operator/(const operators::Number& x, const operators::Left& y);

}  // namespace millrace
