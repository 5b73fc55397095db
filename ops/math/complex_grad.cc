// Gradients of complex numbers and their parts. That of a real number by a
// complex one is twice the derivative by the conjugate: x + iy for re^2/2 + im^2/2.
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/math/derivative.h"

namespace millrace {
namespace {

void ComplexGradient(GradientContext& g) {
  if (g.wanted(0)) g.SetBroadcast(0, ops::Real(g, g.grad(), {.Tout = g.type()}));
  if (g.wanted(1)) g.SetBroadcast(1, ops::Imag(g, g.grad(), {.Tout = g.type()}));
}

// The gradient of a real result as a complex number.
Output AsReal(GradientContext& g, const Output& real) {
  return ops::Complex(g, real, ops::ZerosLike(g, real), {.Tout = g.type()});
}
void RealGradient(GradientContext& g) { g.set(0, AsReal(g, g.grad())); }
void ImagGradient(GradientContext& g) {
  g.set(0, ops::Complex(g, ops::ZerosLike(g, g.grad()), g.grad(), {.Tout = g.type()}));
}
void ConjGradient(GradientContext& g) { g.set(0, g.Conj(g.grad())); }

// The direction of x; 0 at 0.
void ComplexAbsGradient(GradientContext& g) {
  g.set(0, ops::DivNoNan(g, AsReal(g, g.grad()) * g.input(), AsReal(g, g.output())));
}
// Across it: i x / |x|^2.
void AngleGradient(GradientContext& g) {
  const DType real = g.type("Tout");
  const Output turned = ops::Complex(g, ops::Imag(g, g.input(), {.Tout = real}),
                                     ops::Real(g, g.input(), {.Tout = real}), {.Tout = g.type()});
  g.set(0, -AsReal(g, g.grad()) / turned);
}

}  // namespace

namespace gradients {

void complex(GradientTable& t) {
  t.Define("Complex", ComplexGradient);
  t.Define("Real", RealGradient);
  t.Define("Imag", ImagGradient);
  t.Define("Conj", ConjGradient);
  t.Define("ComplexAbs", ComplexAbsGradient);
  t.Define("Angle", AngleGradient);
}

}  // namespace gradients
}  // namespace millrace
