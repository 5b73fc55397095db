#include "millrace/ops/builder/operators.h"

namespace millrace {
namespace {

using operators::Left;
using operators::Number;

// The scope of `x`, else of `y`; a tensor without one is the result of a call
// that failed, and so is what is made of it.
Output Binary(const char* op, const Left& x, const Operand& y) {
  const ScopeState* state = x.output.state();
  if (state == nullptr && y.output() != nullptr) state = y.output()->state();
  if (state == nullptr) return Output();
  return Call(At(Scope(state), x.where), op, {x.output, y}).output();
}

Output Binary(const char* op, const Number& x, const Left& y) {
  if (y.output.state() == nullptr) return Output();
  return Call(At(Scope(y.output.state()), y.where), op, {x.operand, y.output}).output();
}

Output Unary(const char* op, const Left& x) {
  if (x.output.state() == nullptr) return Output();
  return Call(At(Scope(x.output.state()), x.where), op, {x.output}).output();
}

const char* Division(DType dtype) { return IsInteger(BaseType(dtype)) ? "FloorDiv" : "RealDiv"; }

}  // namespace

Output operator+(const Left& x, const Operand& y) { return Binary("AddV2", x, y); }
Output operator-(const Left& x, const Operand& y) { return Binary("Sub", x, y); }
Output operator*(const Left& x, const Operand& y) { return Binary("Mul", x, y); }
Output operator/(const Left& x, const Operand& y) { return Binary(Division(x.output.dtype()), x, y); }
Output operator%(const Left& x, const Operand& y) { return Binary("FloorMod", x, y); }
Output operator-(const Left& x) { return Unary("Neg", x); }
Output operator<(const Left& x, const Operand& y) { return Binary("Less", x, y); }
Output operator<=(const Left& x, const Operand& y) { return Binary("LessEqual", x, y); }
Output operator>(const Left& x, const Operand& y) { return Binary("Greater", x, y); }
Output operator>=(const Left& x, const Operand& y) { return Binary("GreaterEqual", x, y); }
Output operator&&(const Left& x, const Operand& y) { return Binary("LogicalAnd", x, y); }
Output operator||(const Left& x, const Operand& y) { return Binary("LogicalOr", x, y); }
Output operator!(const Left& x) { return Unary("LogicalNot", x); }
Output operator+(const Number& x, const Left& y) { return Binary("AddV2", x, y); }
Output operator-(const Number& x, const Left& y) { return Binary("Sub", x, y); }
Output operator*(const Number& x, const Left& y) { return Binary("Mul", x, y); }
Output operator/(const Number& x, const Left& y) { return Binary(Division(y.output.dtype()), x, y); }

}  // namespace millrace
