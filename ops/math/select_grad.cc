// Gradients of choices.
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/math/derivative.h"

namespace millrace {
namespace {

constexpr int kOutput = GradientContext::kOutput;

void SelectGradient(GradientContext& g) {
  const Output zeros = ops::ZerosLike(g, g.grad());
  if (g.wanted(1)) g.set(1, ops::Select(g, g.input(0), g.grad(), zeros));
  if (g.wanted(2)) g.set(2, ops::Select(g, g.input(0), zeros, g.grad()));
}

void SelectV2Gradient(GradientContext& g) {
  const Output zeros = ops::ZerosLike(g, g.grad());
  if (g.wanted(1)) g.SetBroadcast(1, ops::SelectV2(g, g.input(0), g.grad(), zeros), 1, kOutput);
  if (g.wanted(2)) g.SetBroadcast(2, ops::SelectV2(g, g.input(0), zeros, g.grad()), 2, kOutput);
}

// To a bound where t is beyond it.
void ClipGradient(GradientContext& g) {
  const Output zeros = ops::ZerosLike(g, g.grad());
  const Output below = g.input(0)<g.input(1), above = g.input(0)> g.input(2);
  if (g.wanted(0)) g.set(0, ops::SelectV2(g, below || above, zeros, g.grad()));
  if (g.wanted(1)) g.SetBroadcast(1, ops::SelectV2(g, below, g.grad(), zeros), 1, kOutput);
  if (g.wanted(2)) g.SetBroadcast(2, ops::SelectV2(g, above, g.grad(), zeros), 2, kOutput);
}

}  // namespace

namespace gradients {

void select(GradientTable& t) {
  t.Define("Select", SelectGradient);
  t.Define("SelectV2", SelectV2Gradient);
  t.Define("ClipByValue", ClipGradient);
}

}  // namespace gradients
}  // namespace millrace
