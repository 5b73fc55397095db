// Gradients of error and gamma functions.
#include <numbers>

#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/math/derivative.h"

namespace millrace {
namespace {

using math::SetDerivative;

constexpr double kTwoByRootPi = 2 * std::numbers::inv_sqrtpi;
constexpr double kRootPiByTwo = 0.5 / std::numbers::inv_sqrtpi;
constexpr double kRootTwoPi = std::numbers::sqrt2 / std::numbers::inv_sqrtpi;

Output Gaussian(GradientContext& g) { return ops::Exp(g, -ops::Square(g, g.input())); }
void ErfGradient(GradientContext& g) { SetDerivative(g, kTwoByRootPi * Gaussian(g)); }
void ErfcGradient(GradientContext& g) { SetDerivative(g, -kTwoByRootPi * Gaussian(g)); }
void ErfinvGradient(GradientContext& g) { SetDerivative(g, kRootPiByTwo * ops::Exp(g, ops::Square(g, g.output()))); }
void NdtriGradient(GradientContext& g) { SetDerivative(g, kRootTwoPi * ops::Exp(g, 0.5 * ops::Square(g, g.output()))); }

void LgammaGradient(GradientContext& g) { SetDerivative(g, ops::Digamma(g, g.input())); }
// Polygamma has float and double only.
void DigammaGradient(GradientContext& g) {
  const bool narrow = g.type() != DType::kDouble;
  const Output x = narrow ? ops::Cast(g, g.input(), DType::kFloat) : g.input();
  const Output trigamma = ops::Polygamma(g, 1, x);
  SetDerivative(g, narrow ? ops::Cast(g, trigamma, g.type()) : trigamma);
}
// By the point; there is none by the order.
void PolygammaGradient(GradientContext& g) {
  if (g.wanted(1)) math::SetBroadcastDerivative(g, 1, ops::Polygamma(g, g.input(0) + 1, g.input(1)));
}
void ZetaGradient(GradientContext& g) {
  const Output x = g.input(0), q = g.input(1);
  if (g.wanted(1)) math::SetBroadcastDerivative(g, 1, -x * ops::Zeta(g, x + 1, q));
}

void NextAfterGradient(GradientContext& g) {
  g.SetBroadcast(0, g.grad());
  if (g.wanted(1)) g.set(1, ops::ZerosLike(g, g.input(1)));
}

}  // namespace

namespace gradients {

void special(GradientTable& t) {
  t.Define("Erf", ErfGradient);
  t.Define("Erfc", ErfcGradient);
  t.Define("Erfinv", ErfinvGradient);
  t.Define("Ndtri", NdtriGradient);
  t.Define("Lgamma", LgammaGradient);
  t.Define("Digamma", DigammaGradient);
  t.Define("Polygamma", PolygammaGradient);
  t.Define("Zeta", ZetaGradient);
  t.Define("NextAfter", NextAfterGradient);
}

}  // namespace gradients
}  // namespace millrace
