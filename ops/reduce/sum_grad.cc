// Gradients of Sum and Mean.
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/ops/reduce/back.h"

namespace millrace {
namespace {

void SumGradient(GradientContext& g) { g.set(0, reduce::SpreadBack(g, g.grad())); }
void MeanGradient(GradientContext& g) { g.set(0, reduce::SpreadBack(g, g.grad() / reduce::ReducedCount(g))); }

}  // namespace

namespace gradients {

void reduce_sum(GradientTable& t) {
  t.Define("Sum", SumGradient);
  t.Define("Mean", MeanGradient);
}

}  // namespace gradients
}  // namespace millrace
