// The gradient of Cross.
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

void CrossGradient(GradientContext& g) {
  if (g.wanted(0)) g.set(0, ops::Cross(g, g.input(1), g.grad()));
  if (g.wanted(1)) g.set(1, ops::Cross(g, g.grad(), g.input(0)));
}

}  // namespace

namespace gradients {

void cross(GradientTable& t) { t.Define("Cross", CrossGradient); }

}  // namespace gradients
}  // namespace millrace
