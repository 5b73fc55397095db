// Gradients of Max and Min.
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/builder/reduce_ops.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/reduce/back.h"

namespace millrace {
namespace {

// Shared equally among the elements that are the extreme.
void ExtremeGradient(GradientContext& g) {
  const Output extreme = reduce::WithReducedDims(g, g.output());
  const Output hit = ops::Cast(g, ops::Equal(g, extreme, g.input()), g.type());
  const Output hits = ops::Sum(g, hit, g.input(1), {.keep_dims = true});
  g.set(0, hit / hits * reduce::WithReducedDims(g, g.grad()));
}

}  // namespace

namespace gradients {

void reduce_extremes(GradientTable& t) {
  t.Define("Max", ExtremeGradient);
  t.Define("Min", ExtremeGradient);
}

}  // namespace gradients
}  // namespace millrace
