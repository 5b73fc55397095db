// Dim: an extent in shape inference: a number, an expression over symbols, or
// unknown. DimTable makes and simplifies the expressions.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "millrace/proto/plan/dim_expr.h"
#include "millrace/proto/value/shape.h"

namespace millrace {

// A handle; expressions belong to a DimTable. Two dims of one table with equal
// handles are equal in every run; different handles may be equal or not.
class Dim {
 public:
  constexpr Dim() = default;                                         // unknown
  constexpr Dim(int64_t extent) : rep_(extent < 0 ? -1 : extent) {}  // NOLINT: a number is a dim
  static constexpr Dim Unknown() { return Dim(); }
  static constexpr Dim Expr(uint32_t index) {
    Dim d;
    d.rep_ = -2 - static_cast<int64_t>(index);
    return d;
  }

  constexpr bool known() const { return rep_ >= 0; }
  constexpr bool unknown() const { return rep_ == -1; }
  constexpr bool symbolic() const { return rep_ <= -2; }
  constexpr int64_t value() const { return rep_; }                              // only where known()
  constexpr uint32_t expr() const { return static_cast<uint32_t>(-2 - rep_); }  // only where symbolic()

  friend constexpr bool operator==(Dim, Dim) = default;

 private:
  int64_t rep_ = -1;
};

// Rank and dims during inference.
struct SymShape {
  bool has_rank = false;
  std::vector<Dim> dims;

  SymShape() = default;  // unknown rank
  explicit SymShape(std::vector<Dim> d) : has_rank(true), dims(std::move(d)) {}
  explicit SymShape(const Shape& shape);
  static SymShape Scalar() { return SymShape(std::vector<Dim>{}); }
  static SymShape Unknown(int rank) { return SymShape(std::vector<Dim>(static_cast<size_t>(rank))); }

  int rank() const { return has_rank ? static_cast<int>(dims.size()) : -1; }
  bool FullyKnown() const;
  // Symbols become unknown.
  Shape ToShape() const;
  friend bool operator==(const SymShape&, const SymShape&) = default;
};

// The elements of a small integer tensor (rank 0 or 1) as far as inference knows
// them: how shape arithmetic is folded. Elements may be negative numbers (the -1
// of a Reshape), so they are not Dims.
struct SymElement {
  enum class Kind : uint8_t { kUnknown, kNumber, kExpr } kind = Kind::kUnknown;
  int64_t number = 0;
  uint32_t expr = 0;
  static SymElement Number(int64_t v) { return {Kind::kNumber, v, 0}; }
  static SymElement Of(Dim d) {
    if (d.known()) return Number(d.value());
    if (d.symbolic()) return {Kind::kExpr, 0, d.expr()};
    return {};
  }
  // The element as an extent; unknown where it is negative.
  Dim dim() const {
    if (kind == Kind::kNumber) return Dim(number);
    if (kind == Kind::kExpr) return Dim::Expr(expr);
    return Dim();
  }
  bool known() const { return kind == Kind::kNumber; }
  friend bool operator==(const SymElement&, const SymElement&) = default;
};
struct SymTensor {
  bool scalar = false;  // rank 0: one element
  std::vector<SymElement> elements;
  friend bool operator==(const SymTensor&, const SymTensor&) = default;
};

// Expressions, each stored once; sums and products are kept in a normal form, so
// that equal arithmetic gives equal handles ((n+2)-2 is n, 2n and n+n the same).
// Symbols stand for extents, so they are not negative. What overflows is unknown.
// Not thread-safe.
class DimTable {
 public:
  // The symbol of that name; a new one at the first call.
  Dim Symbol(std::string name);
  Dim Add(Dim a, Dim b);
  Dim Sub(Dim a, Dim b);
  Dim Mul(Dim a, Dim b);
  // By a number above 0, or where b is a factor of a (b = 0 is then the caller's
  // to exclude); unknown where b may otherwise be 0.
  Dim FloorDiv(Dim a, Dim b);
  Dim CeilDiv(Dim a, Dim b);
  Dim Mod(Dim a, Dim b);
  Dim Max(Dim a, Dim b);
  Dim Min(Dim a, Dim b);
  // The extent of two that meet in a broadcast; where both are open, an
  // expression that is decided, and checked, at the run.
  Dim Broadcast(Dim a, Dim b);

  // The same on integers that may be negative: kAdd to kMin. Division rounds
  // down; a division by zero is unknown.
  SymElement Apply(plan::DimOp op, SymElement a, SymElement b);
  // True where a >= 0 in every run.
  bool NeverNegative(SymElement a) const;

  const std::vector<plan::DimExpr>& exprs() const { return exprs_; }
  const std::vector<std::string>& symbols() const { return symbols_; }
  // "2*batch + 1", "?" for unknown.
  std::string ToString(Dim d) const;
  std::string ToString(const SymElement& e) const;
  // "[batch, 3, ?]", "<unknown>" without a rank.
  std::string ToString(const SymShape& shape) const;

 private:
  // coefficient * product of atoms. An atom is an expression that is no sum and
  // no product; the list is sorted.
  struct Term {
    int64_t coefficient = 0;
    std::vector<uint32_t> atoms;
    friend bool operator==(const Term&, const Term&) = default;
  };
  // Terms with different atoms, sorted, coefficients not 0; the constant last.
  using Polynomial = std::vector<Term>;
  struct KeyHash {
    size_t operator()(const plan::DimExpr& e) const;
  };

  uint32_t Intern(plan::DimExpr expr);
  uint32_t InternConstant(int64_t value);
  // Nothing where a coefficient overflows; polynomials that would grow past the
  // limits become atoms.
  bool ToPolynomial(SymElement e, Polynomial* out) const;
  bool AddTerm(Polynomial* sum, int64_t coefficient, const std::vector<uint32_t>& atoms) const;
  uint32_t EmitProduct(const Term& term, int64_t coefficient);
  SymElement Emit(Polynomial p);
  SymElement Atom(plan::DimOp op, SymElement a, SymElement b);
  SymElement AddOrSub(SymElement a, SymElement b, int64_t sign);
  SymElement Multiply(SymElement a, SymElement b);
  SymElement DivideDown(SymElement a, SymElement b);
  SymElement DivideDownByNumber(SymElement a, int64_t divisor);
  SymElement Extreme(plan::DimOp op, SymElement a, SymElement b);
  void CollectOperands(plan::DimOp op, uint32_t expr, int depth, std::vector<uint32_t>* out) const;
  bool NeverNegative(const Polynomial& p) const;
  bool AtomNeverNegative(const plan::DimExpr& e) const;
  void AppendExpr(uint32_t expr, int depth, std::string* out) const;
  void AppendPolynomial(const Polynomial& p, int depth, std::string* out) const;

  std::vector<plan::DimExpr> exprs_;
  std::vector<Polynomial> polynomials_;  // of each expression
  std::vector<bool> never_negative_;     // of each expression, as an atom
  std::vector<std::string> symbols_;
  std::unordered_map<std::string, uint32_t> symbol_exprs_;
  std::unordered_map<plan::DimExpr, uint32_t, KeyHash> interned_;
};

}  // namespace millrace
