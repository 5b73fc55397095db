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

constexpr int64_t kNoShape = -1;

template <typename T>
void Append(std::vector<T>* to, const std::vector<T>& from) {
  to->insert(to->end(), from.begin(), from.end());
}

void MakeFractions(Literal* literal) {
  if (literal->kind != Kind::kInt) return;
  literal->kind = Kind::kFloat;
  literal->floats.assign(literal->ints.begin(), literal->ints.end());
  literal->ints.clear();
}

Literal Braces(std::initializer_list<LiteralItem> items) {
  Literal all;
  bool first = true, fits = true;
  for (const LiteralItem& item : items) {
    Literal next = item.literal;
    if (first) all.kind = next.kind;
    if (all.kind == Kind::kFloat) MakeFractions(&next);
    if (next.kind == Kind::kFloat) MakeFractions(&all);
    fits = fits && next.kind == all.kind && next.shape == items.begin()->literal.shape;
    Append(&all.ints, next.ints);
    Append(&all.floats, next.floats);
    Append(&all.strings, next.strings);
    first = false;
  }
  if (items.size() > 0) all.shape = items.begin()->literal.shape;
  all.shape.insert(all.shape.begin(), static_cast<int64_t>(items.size()));
  if (!fits || all.shape.back() == kNoShape) all.shape = {kNoShape};
  return all;
}

}  // namespace

LiteralItem::LiteralItem(const char* value) : LiteralItem(std::string(value)) {}
LiteralItem::LiteralItem(std::string value) : literal{Kind::kString, {}, {}, {}, {std::move(value)}} {}
LiteralItem::LiteralItem(std::initializer_list<LiteralItem> items) : literal(Braces(items)) {}

Operand::Operand(int value) : Operand(int64_t{value}) {}
Operand::Operand(int64_t value) : value_(Literal{Kind::kInt, {}, {value}, {}, {}}) {}
Operand::Operand(float value) : Operand(double{value}) {}
Operand::Operand(double value) : value_(Literal{Kind::kFloat, {}, {}, {value}, {}}) {}
Operand::Operand(bool value) : value_(Literal{Kind::kBool, {}, {value ? 1 : 0}, {}, {}}) {}
Operand::Operand(const char* value) : Operand(std::string(value)) {}
Operand::Operand(std::string value) : value_(Literal{Kind::kString, {}, {}, {}, {std::move(value)}}) {}
Operand::Operand(std::initializer_list<LiteralItem> items) : value_(Braces(items)) {}
Operand::Operand(const std::vector<int>& values) : value_(Vector(Kind::kInt, values)) {}
Operand::Operand(const std::vector<int64_t>& values) : value_(Vector(Kind::kInt, values)) {}
Operand::Operand(const std::vector<float>& values) : value_(Vector(Kind::kFloat, values)) {}
Operand::Operand(const std::vector<double>& values) : value_(Vector(Kind::kFloat, values)) {}

}  // namespace millrace
