// Gradients of signs.
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/math/derivative.h"

namespace millrace {
namespace {

void NegGradient(GradientContext& g) { g.set(0, -g.grad()); }
void AbsGradient(GradientContext& g) { g.set(0, g.grad() * ops::Sign(g, g.input())); }
void SignGradient(GradientContext& g) { g.set(0, ops::ZerosLike(g, g.input())); }

}  // namespace

namespace gradients {

void rounding(GradientTable& t) {
  t.Define("Neg", NegGradient);
  t.Define("Abs", AbsGradient);
  t.Define("Sign", SignGradient);
}

}  // namespace gradients
}  // namespace millrace
