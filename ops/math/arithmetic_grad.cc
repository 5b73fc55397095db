// Gradients of sums, differences, products and extremes.
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/math/derivative.h"

namespace millrace {
namespace {

void AddGradient(GradientContext& g) {
  g.SetBroadcast(0, g.grad());
  g.SetBroadcast(1, g.grad());
}

void SubGradient(GradientContext& g) {
  g.SetBroadcast(0, g.grad());
  if (g.wanted(1)) g.SetBroadcast(1, -g.grad());
}

void MulGradient(GradientContext& g) {
  if (g.wanted(0)) math::SetBroadcastDerivative(g, 0, g.input(1));
  if (g.wanted(1)) math::SetBroadcastDerivative(g, 1, g.input(0));
}

void MulNoNanGradient(GradientContext& g) {
  if (g.wanted(0)) g.SetBroadcast(0, ops::MulNoNan(g, g.grad(), g.Conj(g.input(1))));
  if (g.wanted(1)) g.SetBroadcast(1, ops::MulNoNan(g, g.Conj(g.input(0)), g.grad()));
}

// Of (x - y) conj(x - y), as a real number.
void SquaredDifferenceGradient(GradientContext& g) {
  const Output by_x = 2 * g.grad() * (g.input(0) - g.input(1));
  g.SetBroadcast(0, by_x);
  if (g.wanted(1)) g.SetBroadcast(1, -by_x);
}

// To x where it was chosen, or both were the same; else to y.
void SetChosen(GradientContext& g, const Output& chose_x) {
  const Output zeros = ops::ZerosLike(g, g.grad());
  if (g.wanted(0)) g.SetBroadcast(0, ops::SelectV2(g, chose_x, g.grad(), zeros));
  if (g.wanted(1)) g.SetBroadcast(1, ops::SelectV2(g, chose_x, zeros, g.grad()));
}
void MaximumGradient(GradientContext& g) { SetChosen(g, g.input(0) >= g.input(1)); }
void MinimumGradient(GradientContext& g) { SetChosen(g, g.input(0) <= g.input(1)); }

void AddNGradient(GradientContext& g) {
  for (int i = 0; i < g.num_inputs(); ++i) g.set(i, g.gradient());
}

}  // namespace

namespace gradients {

void arithmetic(GradientTable& t) {
  t.Define("Add", AddGradient);
  t.Define("AddN", AddNGradient);
  t.Define("AddV2", AddGradient);
  t.Define("Sub", SubGradient);
  t.Define("Mul", MulGradient);
  t.Define("MulNoNan", MulNoNanGradient);
  t.Define("SquaredDifference", SquaredDifferenceGradient);
  t.Define("Maximum", MaximumGradient);
  t.Define("Minimum", MinimumGradient);
}

}  // namespace gradients
}  // namespace millrace
