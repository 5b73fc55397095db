// Gradients of trigonometric and hyperbolic functions.
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/math/derivative.h"

namespace millrace {
namespace {

using math::SetDerivative;
using math::SetQuotient;

void SinGradient(GradientContext& g) { SetDerivative(g, ops::Cos(g, g.input())); }
void CosGradient(GradientContext& g) { SetDerivative(g, -ops::Sin(g, g.input())); }
void TanGradient(GradientContext& g) { SetQuotient(g, ops::Square(g, ops::Cos(g, g.input()))); }
void SinhGradient(GradientContext& g) { SetDerivative(g, ops::Cosh(g, g.input())); }
void CoshGradient(GradientContext& g) { SetDerivative(g, ops::Sinh(g, g.input())); }

// Rounded as in the original; (1 - x) (1 + x) would keep more digits near 1 and -1.
Output OneLessSquare(GradientContext& g) { return 1 - ops::Square(g, g.input()); }
void AsinGradient(GradientContext& g) { SetQuotient(g, ops::Sqrt(g, OneLessSquare(g))); }
void AcosGradient(GradientContext& g) { SetQuotient(g, -ops::Sqrt(g, OneLessSquare(g))); }
void AtanGradient(GradientContext& g) { SetQuotient(g, 1 + ops::Square(g, g.input())); }
// By the result: the square of x may be out of range.
void AsinhGradient(GradientContext& g) { SetQuotient(g, ops::Cosh(g, g.output())); }
// Two roots: NaN below 1, as the op is, and the right branch of complex numbers.
void AcoshGradient(GradientContext& g) {
  const Output x = g.input();
  SetQuotient(g, ops::Sqrt(g, x - 1) * ops::Sqrt(g, x + 1));
}
void AtanhGradient(GradientContext& g) { SetQuotient(g, OneLessSquare(g)); }

void Atan2Gradient(GradientContext& g) {
  const Output y = g.input(0), x = g.input(1);
  const Output scaled = g.grad() / (ops::Square(g, x) + ops::Square(g, y));
  if (g.wanted(0)) g.SetBroadcast(0, scaled * x);
  if (g.wanted(1)) g.SetBroadcast(1, scaled * -y);
}

}  // namespace

namespace gradients {

void trigonometric(GradientTable& t) {
  t.Define("Sin", SinGradient);
  t.Define("Cos", CosGradient);
  t.Define("Tan", TanGradient);
  t.Define("Asin", AsinGradient);
  t.Define("Acos", AcosGradient);
  t.Define("Atan", AtanGradient);
  t.Define("Sinh", SinhGradient);
  t.Define("Cosh", CoshGradient);
  t.Define("Asinh", AsinhGradient);
  t.Define("Acosh", AcoshGradient);
  t.Define("Atanh", AtanhGradient);
  t.Define("Atan2", Atan2Gradient);
}

}  // namespace gradients
}  // namespace millrace
