// Gradients of powers, roots and reciprocals.
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/math/derivative.h"

namespace millrace {
namespace {

using math::SetDerivative;

void PowGradient(GradientContext& g) {
  const Output x = g.Conj(g.input(0)), y = g.Conj(g.input(1));
  if (g.wanted(0)) g.SetBroadcast(0, g.grad() * y * ops::Pow(g, x, y - 1));
  if (!g.wanted(1)) return;
  // log(x), and 0 where the power has no derivative by y.
  const Output has_log = IsComplex(g.type()) ? ops::NotEqual(g, x, 0) : x > 0;
  const Output log = ops::Log(g, ops::SelectV2(g, has_log, x, ops::OnesLike(g, x)));
  g.SetBroadcast(1, g.grad() * g.Conj(g.output()) * log);
}

void SquareGradient(GradientContext& g) { SetDerivative(g, 2 * g.input()); }
// The kernels of SqrtGrad and so on conjugate the result.
void SqrtGradient(GradientContext& g) { g.set(0, ops::SqrtGrad(g, g.output(), g.grad())); }
void RsqrtGradient(GradientContext& g) { g.set(0, ops::RsqrtGrad(g, g.output(), g.grad())); }
void ReciprocalGradient(GradientContext& g) { g.set(0, ops::ReciprocalGrad(g, g.output(), g.grad())); }

// Of dy / (2 conj(y)), which is the output.
void SqrtGradGradient(GradientContext& g) {
  const Output quotient = g.grad() / g.input(0);
  if (g.wanted(0)) g.set(0, -g.Conj(quotient) * g.output());
  if (g.wanted(1)) g.set(1, 0.5 * quotient);
}
// Of -dy conj(y)^3 / 2.
void RsqrtGradGradient(GradientContext& g) {
  const Output y = g.Conj(g.input(0));
  if (g.wanted(0)) g.set(0, -1.5 * g.Conj(g.grad()) * g.input(1) * ops::Square(g, y));
  if (g.wanted(1)) g.set(1, ops::RsqrtGrad(g, y, g.grad()));
}
// Of -dy conj(y)^2.
void ReciprocalGradGradient(GradientContext& g) {
  const Output y = g.Conj(g.input(0));
  if (g.wanted(0)) g.set(0, -2 * g.Conj(g.grad()) * g.input(1) * y);
  if (g.wanted(1)) g.set(1, ops::ReciprocalGrad(g, y, g.grad()));
}

}  // namespace

namespace gradients {

void power(GradientTable& t) {
  t.Define("Pow", PowGradient);
  t.Define("Square", SquareGradient);
  t.Define("Sqrt", SqrtGradient);
  t.Define("SqrtGrad", SqrtGradGradient);
  t.Define("Rsqrt", RsqrtGradient);
  t.Define("RsqrtGrad", RsqrtGradGradient);
  for (const char* op : {"Reciprocal", "Inv"}) t.Define(op, ReciprocalGradient);
  for (const char* op : {"ReciprocalGrad", "InvGrad"}) t.Define(op, ReciprocalGradGradient);
}

}  // namespace gradients
}  // namespace millrace
