#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

void Deferred(GradientContext& g) {
  g.Fail(
      "the node is a gradient that only the compiler expands; ask for the outer gradient with DeferredGradients too, "
      "or for the inner one with Gradients");
}

}  // namespace

namespace gradients {

void control_deferred(GradientTable& t) {
  t.Define("Gradients", Deferred);
  t.Define("SymbolicGradient", Deferred);
}

}  // namespace gradients

}  // namespace millrace
