// A shared object with an op of somebody's own, as LoadOps wants it.
#include "millrace/ops/builder/ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/user/expression_op.h"
#include "millrace/ops/user/load_ops.h"

using namespace millrace;

namespace {

struct Cube {
  template <class S>
  static S Of(S x) {
    return x * x * x;
  }
};

void CubeGradient(GradientContext& g) { g.set(0, g.grad() * (3 * ops::Square(g, g.input()))); }

}  // namespace

MILLRACE_OPS_LIBRARY(registry) {
  registry.Define("Cube")
      .Input("x: T")
      .Output("y: T")
#ifdef CUBE_WITH_SCALE  // the same name with another signature
      .Attr("scale: float = 1.0")
#endif
      .Attr("T: {float, double}")
      .Doc("x to the third.")
      .Shape(shape_fns::Unchanged)
      .Gradient(CubeGradient)
      .Elementwise(ExpressionOf<Cube, float, double>());
}
