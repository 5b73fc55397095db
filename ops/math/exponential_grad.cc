// Gradients of exponentials, logarithms and what is made of them.
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/math/derivative.h"

namespace millrace {
namespace {

using math::SetDerivative;
using math::SetQuotient;

void ExpGradient(GradientContext& g) { SetDerivative(g, g.output()); }
void Expm1Gradient(GradientContext& g) { SetDerivative(g, ops::Exp(g, g.input())); }
void LogGradient(GradientContext& g) { SetQuotient(g, g.input()); }
void Log1pGradient(GradientContext& g) { SetQuotient(g, g.input() + 1); }

// The kernels of TanhGrad and so on conjugate the result.
void TanhGradient(GradientContext& g) { g.set(0, ops::TanhGrad(g, g.output(), g.grad())); }
void SigmoidGradient(GradientContext& g) { g.set(0, ops::SigmoidGrad(g, g.output(), g.grad())); }

// Of dy conj(1 - y^2).
void TanhGradGradient(GradientContext& g) {
  const Output y = g.Conj(g.input(0));
  if (g.wanted(0)) g.set(0, -2 * g.Conj(g.grad()) * g.input(1) * y);
  if (g.wanted(1)) g.set(1, ops::TanhGrad(g, y, g.grad()));
}
// Of dy conj(y (1 - y)).
void SigmoidGradGradient(GradientContext& g) {
  const Output y = g.Conj(g.input(0));
  if (g.wanted(0)) g.set(0, g.Conj(g.grad()) * g.input(1) * (1 - 2 * y));
  if (g.wanted(1)) g.set(1, ops::SigmoidGrad(g, y, g.grad()));
}

// 1 where x is not 0: the ops below are 0 there, whatever y is.
Output NotZero(GradientContext& g, const Output& x) { return ops::Cast(g, ops::NotEqual(g, x, 0), g.type()); }

// Of x f(y), where f'(y) = 1 / inverse(y).
template <Output (*kOp)(At, const Operand&, const Operand&)>
void LinearGradient(GradientContext& g, Output (*inverse)(GradientContext&, const Output& y)) {
  const Output x = g.Conj(g.input(0)), y = g.Conj(g.input(1));
  if (g.wanted(0)) g.SetBroadcast(0, g.grad() * kOp(g, NotZero(g, x), y));
  if (g.wanted(1)) g.SetBroadcast(1, g.grad() * ops::Xdivy(g, x, inverse(g, y)));
}
void XlogyGradient(GradientContext& g) {
  LinearGradient<ops::Xlogy>(g, [](GradientContext&, const Output& y) { return y; });
}
void Xlog1pyGradient(GradientContext& g) {
  LinearGradient<ops::Xlog1py>(g, [](GradientContext&, const Output& y) { return y + 1; });
}
void XdivyGradient(GradientContext& g) {
  LinearGradient<ops::Xdivy>(g, [](GradientContext& g, const Output& y) { return -ops::Square(g, y); });
}

}  // namespace

namespace gradients {

void exponential(GradientTable& t) {
  t.Define("Exp", ExpGradient);
  t.Define("Expm1", Expm1Gradient);
  t.Define("Log", LogGradient);
  t.Define("Log1p", Log1pGradient);
  t.Define("Tanh", TanhGradient);
  t.Define("TanhGrad", TanhGradGradient);
  t.Define("Sigmoid", SigmoidGradient);
  t.Define("SigmoidGrad", SigmoidGradGradient);
  t.Define("Xlogy", XlogyGradient);
  t.Define("Xlog1py", Xlog1pyGradient);
  t.Define("Xdivy", XdivyGradient);
}

}  // namespace gradients
}  // namespace millrace
