// Gradients of ops that pass their input on, and ops of this folder that refuse.
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// Slices pass as slices.
void PassGradient(GradientContext& g) {
  for (int i = 0; i < g.num_outputs(); ++i) {
    if (g.has_grad(i)) g.set(i, g.gradient(i));
  }
}

void CheckNumericsGradient(GradientContext& g) {
  g.set(0, ops::CheckNumerics(g, g.grad(), Cat("the gradient of '", g.node().name(), "'")));
}

}  // namespace

namespace gradients {

void array_copies(GradientTable& t) {
  t.Define("CheckNumerics", CheckNumericsGradient);
  t.Define("EnsureShape", PassGradient);
  t.Define("Identity", PassGradient);
  t.Define("IdentityN", PassGradient);
  t.Define("PlaceholderWithDefault", PassGradient);
  for (const char* op :
       {"Bincount", "Bitcast", "DeepCopy", "DenseBincount", "GuaranteeConst", "ListDiff", "PreventGradient", "Snapshot",
        "Unique", "UniqueV2", "UniqueWithCounts", "UniqueWithCountsV2"}) {
    t.Define(op, RefuseGradient);
  }
}

}  // namespace gradients
}  // namespace millrace
