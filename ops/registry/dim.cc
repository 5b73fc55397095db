// Symbolic extents. A sum or product is a polynomial over atoms: symbols, and
// the results of the operations that are neither sum nor product. Each
// polynomial is written as expressions in one way only, so equal ones share a
// handle.
#include "millrace/ops/registry/dim.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using plan::DimExpr;
using plan::DimOp;

// Past these a polynomial is not worth its time: the operation becomes an atom.
constexpr size_t kMaxTerms = 16;
constexpr size_t kMaxDegree = 8;
constexpr size_t kMaxOperands = 16;  // of a maximum, minimum or broadcast
constexpr int kMaxTextDepth = 16;
constexpr size_t kMaxText = 200;

int64_t FloorDivide(int64_t a, int64_t b) {
  const int64_t q = a / b;
  return q * b != a && ((a < 0) != (b < 0)) ? q - 1 : q;
}

// Products before sums of lower degree, then by atoms; the constant comes last.
bool Before(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  if (a.size() != b.size()) return a.size() > b.size();
  return a < b;
}

}  // namespace

SymShape::SymShape(const Shape& shape) : has_rank(shape.has_rank()) {
  dims.reserve(shape.dims().size());
  for (int64_t extent : shape.dims()) dims.emplace_back(extent);
}

bool SymShape::FullyKnown() const {
  return has_rank && std::all_of(dims.begin(), dims.end(), [](Dim d) { return d.known(); });
}

Shape SymShape::ToShape() const {
  if (!has_rank) return Shape::UnknownRank();
  Shape shape;
  for (Dim d : dims) shape.Append(d.known() ? d.value() : Shape::kUnknownDim);
  return shape;
}

size_t DimTable::KeyHash::operator()(const DimExpr& e) const {
  uint64_t h = static_cast<uint64_t>(e.value) * 0x9e3779b97f4a7c15u + static_cast<uint64_t>(e.op);
  h = (h ^ (h >> 29) ^ e.a) * 0xbf58476d1ce4e5b9u;
  h = (h ^ (h >> 32) ^ e.b) * 0x94d049bb133111ebu;
  return static_cast<size_t>(h ^ (h >> 31));
}

uint32_t DimTable::Intern(DimExpr expr) {
  const auto [it, fresh] = interned_.try_emplace(expr, static_cast<uint32_t>(exprs_.size()));
  if (fresh) {
    exprs_.push_back(expr);
    // An atom until Emit says otherwise.
    polynomials_.push_back({Term{1, {it->second}}});
    never_negative_.push_back(AtomNeverNegative(expr));
  }
  return it->second;
}

uint32_t DimTable::InternConstant(int64_t value) {
  const uint32_t expr = Intern({DimOp::kConstant, 0, 0, value});
  polynomials_[expr] = value == 0 ? Polynomial{} : Polynomial{Term{value, {}}};
  return expr;
}

Dim DimTable::Symbol(std::string name) {
  const auto [it, fresh] = symbol_exprs_.try_emplace(name, 0);
  if (fresh) {
    it->second = Intern({DimOp::kSymbol, 0, 0, static_cast<int64_t>(symbols_.size())});
    symbols_.push_back(std::move(name));
  }
  return Dim::Expr(it->second);
}

bool DimTable::ToPolynomial(SymElement e, Polynomial* out) const {
  switch (e.kind) {
    case SymElement::Kind::kUnknown:
      return false;
    case SymElement::Kind::kNumber:
      out->clear();
      if (e.number != 0) out->push_back({e.number, {}});
      return true;
    case SymElement::Kind::kExpr:
      *out = polynomials_[e.expr];
      return true;
  }
  return false;
}

bool DimTable::AddTerm(Polynomial* sum, int64_t coefficient, const std::vector<uint32_t>& atoms) const {
  const auto it = std::lower_bound(sum->begin(), sum->end(), atoms,
                                   [](const Term& t, const std::vector<uint32_t>& a) { return Before(t.atoms, a); });
  if (it != sum->end() && it->atoms == atoms) {
    if (__builtin_add_overflow(it->coefficient, coefficient, &it->coefficient)) return false;
    if (it->coefficient == 0) sum->erase(it);
  } else if (coefficient != 0) {
    sum->insert(it, {coefficient, atoms});
  }
  return true;
}

// |coefficient| >= 1. A product of atoms comes before its coefficient, so that
// every part of what is written is itself in normal form.
uint32_t DimTable::EmitProduct(const Term& term, int64_t coefficient) {
  if (term.atoms.empty()) return InternConstant(coefficient);
  uint32_t product = term.atoms[0];
  for (size_t i = 1; i < term.atoms.size(); ++i) {
    product = Intern({DimOp::kMul, product, term.atoms[i], 0});
    polynomials_[product] = {Term{1, {term.atoms.begin(), term.atoms.begin() + static_cast<ptrdiff_t>(i) + 1}}};
  }
  if (coefficient == 1) return product;
  const uint32_t scaled = Intern({DimOp::kMul, InternConstant(coefficient), product, 0});
  polynomials_[scaled] = {Term{coefficient, term.atoms}};
  return scaled;
}

// Positive terms are added up first, the others are then subtracted.
SymElement DimTable::Emit(Polynomial p) {
  if (p.empty()) return SymElement::Number(0);
  if (p.size() == 1 && p[0].atoms.empty()) return SymElement::Number(p[0].coefficient);
  for (const Term& term : p) {
    if (term.coefficient == std::numeric_limits<int64_t>::min()) return {};
  }
  Polynomial negative;
  std::copy_if(p.begin(), p.end(), std::back_inserter(negative), [](const Term& t) { return t.coefficient < 0; });
  std::erase_if(p, [](const Term& t) { return t.coefficient < 0; });
  p.insert(p.end(), negative.begin(), negative.end());
  uint32_t sum = EmitProduct(p[0], p[0].coefficient);
  Polynomial so_far = {p[0]};
  for (size_t i = 1; i < p.size(); ++i) {
    const bool plus = p[i].coefficient > 0;
    const uint32_t product = EmitProduct(p[i], plus ? p[i].coefficient : -p[i].coefficient);
    sum = Intern({plus ? DimOp::kAdd : DimOp::kSub, sum, product, 0});
    if (!AddTerm(&so_far, p[i].coefficient, p[i].atoms)) return {};
    polynomials_[sum] = so_far;
  }
  return {SymElement::Kind::kExpr, 0, sum};
}

SymElement DimTable::Atom(DimOp op, SymElement a, SymElement b) {
  const auto operand = [&](SymElement e) { return e.known() ? InternConstant(e.number) : e.expr; };
  const uint32_t x = operand(a), y = operand(b);
  return {SymElement::Kind::kExpr, 0, Intern({op, x, y, 0})};
}

SymElement DimTable::AddOrSub(SymElement a, SymElement b, int64_t sign) {
  if (a.known() && b.known()) {
    int64_t sum;
    const bool overflow =
        sign > 0 ? __builtin_add_overflow(a.number, b.number, &sum) : __builtin_sub_overflow(a.number, b.number, &sum);
    return overflow ? SymElement() : SymElement::Number(sum);
  }
  Polynomial sum, other;
  if (!ToPolynomial(a, &sum) || !ToPolynomial(b, &other)) return {};
  for (const Term& term : other) {
    int64_t coefficient;
    if (__builtin_mul_overflow(term.coefficient, sign, &coefficient)) return {};
    if (!AddTerm(&sum, coefficient, term.atoms)) return {};
  }
  if (sum.size() > kMaxTerms) return Atom(sign > 0 ? DimOp::kAdd : DimOp::kSub, a, b);
  return Emit(std::move(sum));
}

SymElement DimTable::Multiply(SymElement a, SymElement b) {
  if (a == SymElement::Number(0) || b == SymElement::Number(0)) return SymElement::Number(0);
  if (a.known() && b.known()) {
    int64_t product;
    return __builtin_mul_overflow(a.number, b.number, &product) ? SymElement() : SymElement::Number(product);
  }
  Polynomial x, y, product;
  if (!ToPolynomial(a, &x) || !ToPolynomial(b, &y)) return {};
  for (const Term& s : x) {
    for (const Term& t : y) {
      int64_t coefficient;
      if (__builtin_mul_overflow(s.coefficient, t.coefficient, &coefficient)) return {};
      std::vector<uint32_t> atoms(s.atoms.size() + t.atoms.size());
      std::merge(s.atoms.begin(), s.atoms.end(), t.atoms.begin(), t.atoms.end(), atoms.begin());
      if (atoms.size() > kMaxDegree) return Atom(DimOp::kMul, a, b);
      if (!AddTerm(&product, coefficient, atoms)) return {};
    }
  }
  if (product.size() > kMaxTerms) return Atom(DimOp::kMul, a, b);
  return Emit(std::move(product));
}

// floor((q d + r) / d) is q + floor(r / d): every coefficient of the rest is
// brought into [0, d).
SymElement DimTable::DivideDownByNumber(SymElement a, int64_t divisor) {
  if (divisor == 1) return a;
  if (a.known()) return SymElement::Number(FloorDivide(a.number, divisor));
  Polynomial dividend, quotient, rest;
  if (!ToPolynomial(a, &dividend)) return {};
  for (const Term& term : dividend) {
    const int64_t q = FloorDivide(term.coefficient, divisor);
    if (q != 0) quotient.push_back({q, term.atoms});
    int64_t r = term.coefficient % divisor;
    if (r < 0) r += divisor;
    if (r != 0) rest.push_back({r, term.atoms});
  }
  const SymElement whole = Emit(std::move(quotient));
  // A rest that is a number is below the divisor.
  if (rest.empty() || (rest.size() == 1 && rest[0].atoms.empty())) return whole;
  // floor((floor(x / e) + c) / d) is floor((x + c e) / (d e)).
  const int64_t constant = rest.back().atoms.empty() ? rest.back().coefficient : 0;
  if (rest.size() == (constant != 0 ? 2u : 1u) && rest[0].coefficient == 1 && rest[0].atoms.size() == 1) {
    const DimExpr inner = exprs_[rest[0].atoms[0]];
    if (inner.op == DimOp::kFloorDiv && exprs_[inner.b].op == DimOp::kConstant && exprs_[inner.b].value > 0) {
      const int64_t e = exprs_[inner.b].value;
      int64_t product, shift;
      if (!__builtin_mul_overflow(divisor, e, &product) && !__builtin_mul_overflow(constant, e, &shift)) {
        const SymElement x = {SymElement::Kind::kExpr, 0, inner.a};
        return AddOrSub(whole, DivideDownByNumber(AddOrSub(x, SymElement::Number(shift), 1), product), 1);
      }
    }
  }
  return AddOrSub(whole, Atom(DimOp::kFloorDiv, Emit(std::move(rest)), SymElement::Number(divisor)), 1);
}

SymElement DimTable::DivideDown(SymElement a, SymElement b) {
  if (a.kind == SymElement::Kind::kUnknown || b.kind == SymElement::Kind::kUnknown) return {};
  if (b.known()) {
    if (b.number == 0 || b.number == std::numeric_limits<int64_t>::min()) return {};
    if (b.number > 0) return DivideDownByNumber(a, b.number);
    const SymElement negated = AddOrSub(SymElement::Number(0), a, -1);
    return negated.kind == SymElement::Kind::kUnknown ? negated : DivideDownByNumber(negated, -b.number);
  }
  if (a == b) return SymElement::Number(1);
  // A product that divides every term goes exactly.
  Polynomial dividend, divisor;
  if (!ToPolynomial(a, &dividend) || !ToPolynomial(b, &divisor)) return {};
  if (divisor.size() == 1) {
    Polynomial quotient;
    bool exact = true;
    for (const Term& term : dividend) {
      const std::vector<uint32_t>& by = divisor[0].atoms;
      exact = exact && divisor[0].coefficient > 0 && term.coefficient % divisor[0].coefficient == 0 &&
              std::includes(term.atoms.begin(), term.atoms.end(), by.begin(), by.end());
      if (!exact) break;
      std::vector<uint32_t> atoms;
      std::set_difference(term.atoms.begin(), term.atoms.end(), by.begin(), by.end(), std::back_inserter(atoms));
      if (!AddTerm(&quotient, term.coefficient / divisor[0].coefficient, atoms)) return {};
    }
    if (exact && !dividend.empty()) return Emit(std::move(quotient));
  }
  // Above 0 in every run?
  if (!NeverNegative(AddOrSub(b, SymElement::Number(1), -1))) return {};
  return Atom(DimOp::kFloorDiv, a, b);
}

void DimTable::CollectOperands(DimOp op, uint32_t expr, int depth, std::vector<uint32_t>* out) const {
  const DimExpr& e = exprs_[expr];
  if (e.op == op && depth < static_cast<int>(kMaxOperands) && out->size() <= kMaxOperands) {
    CollectOperands(op, e.a, depth + 1, out);
    CollectOperands(op, e.b, depth + 1, out);
  } else {
    out->push_back(expr);
  }
}

// Maxima, minima and broadcasts: associative, commutative, and a thing met twice
// counts once.
SymElement DimTable::Extreme(DimOp op, SymElement a, SymElement b) {
  if (a.kind == SymElement::Kind::kUnknown || b.kind == SymElement::Kind::kUnknown) return {};
  if (a == b) return a;
  if (op != DimOp::kBroadcast) {
    if (a.known() && b.known()) {
      return SymElement::Number(op == DimOp::kMax ? std::max(a.number, b.number) : std::min(a.number, b.number));
    }
    if (NeverNegative(AddOrSub(a, b, -1))) return op == DimOp::kMax ? a : b;
    if (NeverNegative(AddOrSub(b, a, -1))) return op == DimOp::kMax ? b : a;
  }
  std::vector<uint32_t> operands;
  const auto collect = [&](SymElement e) {
    if (e.known()) operands.push_back(InternConstant(e.number));
    else CollectOperands(op, e.expr, 0, &operands);
  };
  collect(a);
  collect(b);
  std::sort(operands.begin(), operands.end());
  operands.erase(std::unique(operands.begin(), operands.end()), operands.end());
  if (operands.size() > kMaxOperands) return Atom(op, a, b);
  // At most one number takes part, as the last operand.
  SymElement number;
  std::vector<uint32_t> open;
  for (uint32_t operand : operands) {
    if (exprs_[operand].op != DimOp::kConstant) {
      open.push_back(operand);
      continue;
    }
    const int64_t value = exprs_[operand].value;
    if (!number.known()) number = SymElement::Number(value);
    else if (op == DimOp::kMax) number.number = std::max(number.number, value);
    else if (op == DimOp::kMin) number.number = std::min(number.number, value);
    else return Atom(op, a, b);
  }
  if (number.known()) open.push_back(InternConstant(number.number));
  if (open.size() == 1) return {SymElement::Kind::kExpr, 0, open[0]};
  uint32_t result = open[0];
  for (size_t i = 1; i < open.size(); ++i) result = Intern({op, result, open[i], 0});
  return {SymElement::Kind::kExpr, 0, result};
}

bool DimTable::AtomNeverNegative(const DimExpr& e) const {
  const auto operand = [&](uint32_t expr) { return NeverNegative(polynomials_[expr]); };
  switch (e.op) {
    case DimOp::kConstant:
      return e.value >= 0;
    case DimOp::kSymbol:
    case DimOp::kBroadcast:
      return true;
    case DimOp::kMax:
      return operand(e.a) || operand(e.b);
    case DimOp::kMin:
    case DimOp::kAdd:
    case DimOp::kMul:
    case DimOp::kFloorDiv:
    case DimOp::kCeilDiv:
      return operand(e.a) && operand(e.b);
    case DimOp::kSub:
    case DimOp::kMod:
      return false;
  }
  return false;
}

bool DimTable::NeverNegative(const Polynomial& p) const {
  return std::all_of(p.begin(), p.end(), [&](const Term& t) {
    return t.coefficient >= 0 &&
           std::all_of(t.atoms.begin(), t.atoms.end(), [&](uint32_t atom) { return never_negative_[atom]; });
  });
}

bool DimTable::NeverNegative(SymElement a) const {
  Polynomial p;
  return ToPolynomial(a, &p) && NeverNegative(p);
}

SymElement DimTable::Apply(DimOp op, SymElement a, SymElement b) {
  switch (op) {
    case DimOp::kAdd:
      return AddOrSub(a, b, 1);
    case DimOp::kSub:
      return AddOrSub(a, b, -1);
    case DimOp::kMul:
      return Multiply(a, b);
    case DimOp::kFloorDiv:
      return DivideDown(a, b);
    case DimOp::kCeilDiv:
      // ceil(a / b) is floor((a + b - 1) / b) for a number b above 0, and always -floor(-a / b).
      if (b.known() && b.number > 0) return DivideDown(AddOrSub(a, SymElement::Number(b.number - 1), 1), b);
      return AddOrSub(SymElement::Number(0), DivideDown(AddOrSub(SymElement::Number(0), a, -1), b), -1);
    case DimOp::kMod: {
      const SymElement quotient = DivideDown(a, b);
      return quotient.kind == SymElement::Kind::kUnknown ? quotient : AddOrSub(a, Multiply(quotient, b), -1);
    }
    case DimOp::kMax:
    case DimOp::kMin:
      return Extreme(op, a, b);
    case DimOp::kConstant:
    case DimOp::kSymbol:
    case DimOp::kBroadcast:
      break;
  }
  return {};
}

Dim DimTable::Add(Dim a, Dim b) { return Apply(DimOp::kAdd, SymElement::Of(a), SymElement::Of(b)).dim(); }
Dim DimTable::Sub(Dim a, Dim b) { return Apply(DimOp::kSub, SymElement::Of(a), SymElement::Of(b)).dim(); }
Dim DimTable::Mul(Dim a, Dim b) { return Apply(DimOp::kMul, SymElement::Of(a), SymElement::Of(b)).dim(); }
Dim DimTable::FloorDiv(Dim a, Dim b) { return Apply(DimOp::kFloorDiv, SymElement::Of(a), SymElement::Of(b)).dim(); }
Dim DimTable::CeilDiv(Dim a, Dim b) { return Apply(DimOp::kCeilDiv, SymElement::Of(a), SymElement::Of(b)).dim(); }
Dim DimTable::Mod(Dim a, Dim b) { return Apply(DimOp::kMod, SymElement::Of(a), SymElement::Of(b)).dim(); }
Dim DimTable::Max(Dim a, Dim b) { return Apply(DimOp::kMax, SymElement::Of(a), SymElement::Of(b)).dim(); }
Dim DimTable::Min(Dim a, Dim b) { return Apply(DimOp::kMin, SymElement::Of(a), SymElement::Of(b)).dim(); }

Dim DimTable::Broadcast(Dim a, Dim b) {
  if (a == b && !a.unknown()) return a;
  // A number that is not 1 is the result whatever the other is (1 or the same).
  for (const Dim d : {a, b}) {
    if (d.known() && d.value() != 1) return d;
  }
  if (a.known()) return b;
  if (b.known()) return a;
  return Extreme(DimOp::kBroadcast, SymElement::Of(a), SymElement::Of(b)).dim();
}

void DimTable::AppendPolynomial(const Polynomial& p, int depth, std::string* out) const {
  if (p.empty()) *out += "0";
  bool first = true;
  for (const Term& term : p) {
    const bool minus = term.coefficient < 0;
    if (!first) *out += minus ? " - " : " + ";
    else if (minus) *out += "-";
    first = false;
    const uint64_t size =
        minus ? uint64_t{0} - static_cast<uint64_t>(term.coefficient) : static_cast<uint64_t>(term.coefficient);
    if (size != 1 || term.atoms.empty()) *out += Cat(size);
    for (size_t i = 0; i < term.atoms.size(); ++i) {
      if (i > 0 || size != 1) *out += '*';
      AppendExpr(term.atoms[i], depth + 1, out);
    }
    if (out->size() > kMaxText) return;
  }
}

// Parts are shared, so a text could be far larger than its table: past the
// limits it is cut.
void DimTable::AppendExpr(uint32_t expr, int depth, std::string* out) const {
  if (depth > kMaxTextDepth || out->size() > kMaxText) {
    *out += "...";
    return;
  }
  const DimExpr& e = exprs_[expr];
  const Polynomial& p = polynomials_[expr];
  if (p.size() != 1 || p[0].atoms != std::vector<uint32_t>{expr}) return AppendPolynomial(p, depth, out);
  const auto call = [&](std::string_view name, std::string_view separator) {
    *out += Cat(name, "(");
    AppendExpr(e.a, depth + 1, out);
    *out += separator;
    AppendExpr(e.b, depth + 1, out);
    *out += ")";
  };
  const auto quotient = [&](std::string_view name) {
    const bool sum = polynomials_[e.a].size() > 1;
    *out += Cat(name, sum ? "((" : "(");
    AppendExpr(e.a, depth + 1, out);
    *out += sum ? ")/" : "/";
    AppendExpr(e.b, depth + 1, out);
    *out += ")";
  };
  switch (e.op) {
    case DimOp::kConstant:
      *out += Cat(e.value);
      break;
    case DimOp::kSymbol:
      *out += symbols_[static_cast<size_t>(e.value)];
      break;
    case DimOp::kAdd:
      call("", " + ");
      break;
    case DimOp::kSub:
      call("", " - ");
      break;
    case DimOp::kMul:
      call("", " * ");
      break;
    case DimOp::kFloorDiv:
      quotient("floor");
      break;
    case DimOp::kCeilDiv:
      quotient("ceil");
      break;
    case DimOp::kMod:
      call("mod", ", ");
      break;
    case DimOp::kMax:
      call("max", ", ");
      break;
    case DimOp::kMin:
      call("min", ", ");
      break;
    case DimOp::kBroadcast:
      call("broadcast", ", ");
      break;
  }
}

std::string DimTable::ToString(Dim d) const { return ToString(SymElement::Of(d)); }

std::string DimTable::ToString(const SymElement& e) const {
  if (e.known()) return Cat(e.number);
  if (e.kind != SymElement::Kind::kExpr) return "?";
  std::string out;
  AppendExpr(e.expr, 0, &out);
  return out;
}

std::string DimTable::ToString(const SymShape& shape) const {
  if (!shape.has_rank) return "<unknown>";
  std::vector<std::string> dims;
  for (Dim d : shape.dims) dims.push_back(ToString(d));
  return "[" + Join(dims, ", ") + "]";
}

}  // namespace millrace
