// Gradients of quotients and remainders.
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/math/derivative.h"

namespace millrace {
namespace {

using DivideFn = Output (*)(At, const Operand&, const Operand&);

// y is squared by two divisions: its square may be out of range.
template <DivideFn kDivide>
void QuotientGradient(GradientContext& g) {
  const Output y = g.Conj(g.input(1));
  if (g.wanted(0)) g.SetBroadcast(0, kDivide(g, g.grad(), y));
  if (g.wanted(1)) g.SetBroadcast(1, g.grad() * kDivide(g, kDivide(g, -g.Conj(g.input(0)), y), y));
}

// x - floor(x / y) y, where the floor does not move.
void FloorModGradient(GradientContext& g) {
  g.SetBroadcast(0, g.grad());
  if (g.wanted(1)) g.SetBroadcast(1, g.grad() * -ops::FloorDiv(g, g.input(0), g.input(1)));
}

}  // namespace

namespace gradients {

void division(GradientTable& t) {
  t.Define("Div", QuotientGradient<ops::RealDiv>);
  t.Define("RealDiv", QuotientGradient<ops::RealDiv>);
  t.Define("DivNoNan", QuotientGradient<ops::DivNoNan>);
  t.Define("FloorMod", FloorModGradient);
  t.Define("Mod", RefuseGradient);
  t.Define("TruncateMod", RefuseGradient);
}

}  // namespace gradients
}  // namespace millrace
