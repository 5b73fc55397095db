// Gradients of activation functions, and of their gradients.
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/math/derivative.h"

namespace millrace {
namespace {

// Relu and so on from their results, which say where x was between the corners.
void ReluGradient(GradientContext& g) { g.set(0, ops::ReluGrad(g, g.grad(), g.output())); }
void Relu6Gradient(GradientContext& g) { g.set(0, ops::Relu6Grad(g, g.grad(), g.output())); }
void EluGradient(GradientContext& g) { g.set(0, ops::EluGrad(g, g.grad(), g.output())); }
void SeluGradient(GradientContext& g) { g.set(0, ops::SeluGrad(g, g.grad(), g.output())); }
void SoftplusGradient(GradientContext& g) { g.set(0, ops::SoftplusGrad(g, g.grad(), g.input())); }
void SoftsignGradient(GradientContext& g) { g.set(0, ops::SoftsignGrad(g, g.grad(), g.input())); }
Output LeakyReluBack(GradientContext& g, const Output& features) {
  return ops::LeakyReluGrad(g, g.grad(), features, {.alpha = g.attr<float>("alpha")});
}
void LeakyReluGradient(GradientContext& g) { g.set(0, LeakyReluBack(g, g.input())); }

// The second derivatives. Input 0 is the gradient, in which all of these are
// linear; input 1 the features, or the result of the activation.
void SetFlat(GradientContext& g) {
  if (g.wanted(1)) g.set(1, ops::ZerosLike(g, g.input(1)));
}
void ReluGradGradient(GradientContext& g) {
  g.set(0, ops::ReluGrad(g, g.grad(), g.input(1)));
  SetFlat(g);
}
void Relu6GradGradient(GradientContext& g) {
  g.set(0, ops::Relu6Grad(g, g.grad(), g.input(1)));
  SetFlat(g);
}
void LeakyReluGradGradient(GradientContext& g) {
  g.set(0, LeakyReluBack(g, g.input(1)));
  SetFlat(g);
}

// Below 0 the gradient is (result + a constant) * input 0.
void SetWhereNegative(GradientContext& g) {
  const Output result = g.input(1);
  if (!g.wanted(1)) return;
  g.set(1, ops::SelectV2(g, result < 0, g.grad() * g.input(0), ops::ZerosLike(g, result)));
}
void EluGradGradient(GradientContext& g) {
  g.set(0, ops::EluGrad(g, g.grad(), g.input(1)));
  SetWhereNegative(g);
}
void SeluGradGradient(GradientContext& g) {
  g.set(0, ops::SeluGrad(g, g.grad(), g.input(1)));
  SetWhereNegative(g);
}

void SoftplusGradGradient(GradientContext& g) {
  const Output x = g.input(1);
  g.set(0, ops::SoftplusGrad(g, g.grad(), x));
  if (g.wanted(1)) g.set(1, g.grad() * g.input(0) * (ops::Sigmoid(g, x) * ops::Sigmoid(g, -x)));
}

void SoftsignGradGradient(GradientContext& g) {
  const Output x = g.input(1);
  g.set(0, ops::SoftsignGrad(g, g.grad(), x));
  if (!g.wanted(1)) return;
  const Output size = 1 + ops::Abs(g, x);
  g.set(1, g.grad() * g.input(0) * (-2 * ops::Sign(g, x)) / (size * size * size));
}

}  // namespace

namespace gradients {

void activation(GradientTable& t) {
  t.Define("Relu", ReluGradient);
  t.Define("ReluGrad", ReluGradGradient);
  t.Define("Relu6", Relu6Gradient);
  t.Define("Relu6Grad", Relu6GradGradient);
  t.Define("LeakyRelu", LeakyReluGradient);
  t.Define("LeakyReluGrad", LeakyReluGradGradient);
  t.Define("Elu", EluGradient);
  t.Define("EluGrad", EluGradGradient);
  t.Define("Selu", SeluGradient);
  t.Define("SeluGrad", SeluGradGradient);
  t.Define("Softplus", SoftplusGradient);
  t.Define("SoftplusGrad", SoftplusGradGradient);
  t.Define("Softsign", SoftsignGradient);
  t.Define("SoftsignGrad", SoftsignGradGradient);
}

}  // namespace gradients
}  // namespace millrace
