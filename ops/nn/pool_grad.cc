// Gradients of pooling, and of its gradients.
#include "millrace/ops/array/extents.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/call_like.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

void MaxPoolGradient(GradientContext& g) { g.set(0, CallLike(g, "MaxPoolGrad", {g.input(), g.output(), g.grad()})); }
void MaxPoolV2Gradient(GradientContext& g) {
  g.set(0, CallLike(g, "MaxPoolGradV2", {g.input(), g.output(), g.grad(), g.input(1), g.input(2)}));
}

// Of ops that route `grad` (input 2) by the maxima of the image (inputs 0 and 1):
// where they are does not move with it.
void RoutingGradient(GradientContext& g, const char* back) {
  std::vector<Argument> arguments = {g.input(0), g.input(1), g.grad()};
  for (int i = 3; i < g.num_inputs(); ++i) arguments.emplace_back(g.input(i));
  g.set(0, ops::ZerosLike(g, g.input(0)));
  g.set(1, ops::ZerosLike(g, g.input(1)));
  g.set(2, CallLike(g, back, arguments));
}
void MaxPoolGradGradient(GradientContext& g) { RoutingGradient(g, "MaxPoolGradGrad"); }
void MaxPoolGradGradGradient(GradientContext& g) { RoutingGradient(g, "MaxPoolGrad"); }
void MaxPoolGradV2Gradient(GradientContext& g) { RoutingGradient(g, "MaxPoolGradGradV2"); }
void MaxPoolGradGradV2Gradient(GradientContext& g) { RoutingGradient(g, "MaxPoolGradV2"); }

void AvgPoolGradient(GradientContext& g) {
  g.set(0, CallLike(g, "AvgPoolGrad", {array::Extents::ShapeOf(g, g.input()).Vector(g), g.grad()}));
}
void AvgPoolGradGradient(GradientContext& g) { g.set(1, CallLike(g, "AvgPool", {g.grad()})); }

}  // namespace

namespace gradients {

void pool(GradientTable& t) {
  t.Define("MaxPool", MaxPoolGradient);
  t.Define("MaxPoolWithArgmax", MaxPoolGradient);
  t.Define("MaxPoolV2", MaxPoolV2Gradient);
  t.Define("MaxPoolGrad", MaxPoolGradGradient);
  t.Define("MaxPoolGradV2", MaxPoolGradV2Gradient);
  t.Define("MaxPoolGradGrad", MaxPoolGradGradGradient);
  t.Define("MaxPoolGradGradV2", MaxPoolGradGradV2Gradient);
  t.Define("AvgPool", AvgPoolGradient);
  t.Define("AvgPoolGrad", AvgPoolGradGradient);
}

}  // namespace gradients
}  // namespace millrace
