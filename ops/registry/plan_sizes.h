// Sizes of a plan: its expressions over symbols, as text and, where the symbols have
// numbers, as numbers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "millrace/ops/registry/dim.h"
#include "millrace/proto/plan/plan.h"
#include "millrace/proto/value/status.h"

namespace millrace {

class PlanSizes {
 public:
  // An integer over the symbols, and the same with the numbers that are given.
  // Not known where only the run knows, and where it overflows.
  struct Size {
    SymElement symbolic, numeric;
    bool known() const { return symbolic.kind != SymElement::Kind::kUnknown; }
    // -1 where a symbol in it has no number.
    int64_t number() const { return numeric.known() ? numeric.number : -1; }
  };

  // Reads the plan's expressions. InvalidArgument for a dim that is no symbol, or
  // negative, and for a plan whose expressions refer to what is not there.
  Status Read(const plan::Plan& plan, const std::map<std::string, int64_t>& dims);

  static Size Number(int64_t n) { return {SymElement::Number(n), SymElement::Number(n)}; }
  // Not known for plan::kNone and for what is no expression.
  Size Expr(uint32_t e) const { return e < exprs_.size() ? exprs_[e] : Size(); }
  Size Apply(plan::DimOp op, const Size& a, const Size& b) {
    return {texts_.Apply(op, a.symbolic, b.symbolic), numbers_.Apply(op, a.numeric, b.numeric)};
  }
  Size Add(const Size& a, const Size& b) { return Apply(plan::DimOp::kAdd, a, b); }
  Size Mul(const Size& a, const Size& b) { return Apply(plan::DimOp::kMul, a, b); }
  // Rounded up as a run lays buffers out.
  Size Aligned(const Size& a);
  // "3072*x.0 + 64"; "?" where it is not known.
  std::string Text(const Size& size) const { return texts_.ToString(size.symbolic); }

 private:
  DimTable texts_, numbers_;
  std::vector<Size> exprs_;
};

}  // namespace millrace
