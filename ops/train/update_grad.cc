// The optimisers' updates of references refuse where their result is used.
#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"

namespace millrace::gradients {

void train_update(GradientTable& t) {
  for (const Op* op : Registry::BuiltIn().ops()) {
    const std::string& name = op->name();
    if (name.starts_with("Apply") || name.starts_with("SparseApply")) t.Define(name, RefuseGradient);
  }
}

}  // namespace millrace::gradients
