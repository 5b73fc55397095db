#include "millrace/ops/builder/operand.h"

namespace millrace {
namespace {

using Kind = Literal::Kind;

template <typename Range>
Literal Vector(Kind kind, const Range& values) {
  Literal literal;
  literal.kind = kind;
  literal.shape = {static_cast<int64_t>(values.size())};
  if (kind == Kind::kFloat) literal.floats.assign(values.begin(), values.end());
  else literal.ints.assign(values.begin(), values.end());
  return literal;
}

// Rows of different lengths give a shape that no dtype holds: see Call.
template <typename T>
Literal Matrix(Kind kind, std::initializer_list<std::initializer_list<T>> rows) {
  Literal literal;
  literal.kind = kind;
  const size_t columns = rows.size() == 0 ? 0 : rows.begin()->size();
  literal.shape = {static_cast<int64_t>(rows.size()), static_cast<int64_t>(columns)};
  for (const auto& row : rows) {
    if (row.size() != columns) literal.shape = {-1, -1};
    if (kind == Kind::kFloat) literal.floats.insert(literal.floats.end(), row.begin(), row.end());
    else literal.ints.insert(literal.ints.end(), row.begin(), row.end());
  }
  return literal;
}

}  // namespace

Operand::Operand(int value) : Operand(int64_t{value}) {}
Operand::Operand(int64_t value) : value_(Literal{Kind::kInt, {}, {value}, {}, {}}) {}
Operand::Operand(float value) : Operand(double{value}) {}
Operand::Operand(double value) : value_(Literal{Kind::kFloat, {}, {}, {value}, {}}) {}
Operand::Operand(bool value) : value_(Literal{Kind::kBool, {}, {value ? 1 : 0}, {}, {}}) {}
Operand::Operand(const char* value) : Operand(std::string(value)) {}
Operand::Operand(std::string value) : value_(Literal{Kind::kString, {}, {}, {}, {std::move(value)}}) {}
Operand::Operand(std::initializer_list<int> values) : value_(Vector(Kind::kInt, values)) {}
Operand::Operand(std::initializer_list<int64_t> values) : value_(Vector(Kind::kInt, values)) {}
Operand::Operand(std::initializer_list<float> values) : value_(Vector(Kind::kFloat, values)) {}
Operand::Operand(std::initializer_list<double> values) : value_(Vector(Kind::kFloat, values)) {}
Operand::Operand(std::initializer_list<std::initializer_list<int>> rows) : value_(Matrix(Kind::kInt, rows)) {}
Operand::Operand(std::initializer_list<std::initializer_list<float>> rows) : value_(Matrix(Kind::kFloat, rows)) {}
Operand::Operand(std::initializer_list<std::initializer_list<double>> rows) : value_(Matrix(Kind::kFloat, rows)) {}
Operand::Operand(const std::vector<int>& values) : value_(Vector(Kind::kInt, values)) {}
Operand::Operand(const std::vector<int64_t>& values) : value_(Vector(Kind::kInt, values)) {}
Operand::Operand(const std::vector<float>& values) : value_(Vector(Kind::kFloat, values)) {}
Operand::Operand(const std::vector<double>& values) : value_(Vector(Kind::kFloat, values)) {}

}  // namespace millrace
