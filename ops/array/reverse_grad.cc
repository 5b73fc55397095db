// Gradients of ops that turn dimensions round.
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace {
namespace {

void ReverseGradient(GradientContext& g) { g.set(0, ops::Reverse(g, g.grad(), g.input(1))); }
void ReverseV2Gradient(GradientContext& g) { g.set(0, ops::ReverseV2(g, g.grad(), g.input(1))); }
void ReverseSequenceGradient(GradientContext& g) {
  g.set(0, ops::ReverseSequence(g, g.grad(), g.input(1), g.attr<int64_t>("seq_dim"),
                                {.batch_dim = g.attr<int64_t>("batch_dim")}));
}
void RollGradient(GradientContext& g) { g.set(0, ops::Roll(g, g.grad(), ops::Neg(g, g.input(1)), g.input(2))); }

}  // namespace

namespace gradients {

void array_reverse(GradientTable& t) {
  t.Define("Reverse", ReverseGradient);
  t.Define("ReverseSequence", ReverseSequenceGradient);
  t.Define("ReverseV2", ReverseV2Gradient);
  t.Define("Roll", RollGradient);
}

}  // namespace gradients
}  // namespace millrace
