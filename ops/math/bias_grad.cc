// Gradients of the bias, and of its gradient.
#include "millrace/ops/array/extents.h"
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/reduce_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

void BiasAddGradient(GradientContext& g) {
  g.set(0, g.grad());
  if (g.wanted(1)) g.set(1, ops::BiasAddGrad(g, g.grad(), {.data_format = g.attr<std::string>("data_format")}));
}
void BiasAddV1Gradient(GradientContext& g) {
  g.set(0, g.grad());
  if (g.wanted(1)) g.set(1, ops::BiasAddGrad(g, g.grad()));
}

// The sum over all but the channels, back along them.
void BiasAddGradGradient(GradientContext& g) {
  const Output like = g.input();
  Output grad = g.grad();
  const Output shape = array::Extents::ShapeOf(g, like).Tensor(g);
  if (g.attr<std::string>("data_format") == "NCHW") {
    // As [C, 1, 1 ...], with as many ones as there are dimensions after the channels.
    const Output spatial = ops::Slice(g, shape, {2}, {-1});
    grad = ops::Reshape(g, grad, ops::ConcatV2(g, {{-1}, ops::OnesLike(g, spatial)}, 0));
  }
  g.set(0, ops::BroadcastTo(g, grad, shape));
}

}  // namespace

namespace gradients {

void bias(GradientTable& t) {
  t.Define("BiasAdd", BiasAddGradient);
  t.Define("BiasAddV1", BiasAddV1Gradient);
  t.Define("BiasAddGrad", BiasAddGradGradient);
}

}  // namespace gradients
}  // namespace millrace
