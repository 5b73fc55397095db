#include "millrace/ops/training/adamw.h"

#include "millrace/ops/builder/math_ops.h"

namespace millrace {

Operation AdamWOptimizer::ApplyDense(At at, const Variable& variable, const Output& gradient) {
  return Decay(at, variable, AdamOptimizer::ApplyDense(at, variable, gradient));
}

Operation AdamWOptimizer::ApplyRows(At at, const Variable& variable, const Output& values, const Output& indices) {
  return Decay(at, variable, AdamOptimizer::ApplyRows(at, variable, values, indices));
}

Operation AdamWOptimizer::Decay(At at, const Variable& variable, const Operation& update) {
  if (!update.valid() || (decays_ && !decays_(variable))) return update;
  const DType dtype = variable.dtype();
  const Output rate =
      ops::Mul(at, Hyper("learning_rate", learning_rate_, dtype), Hyper("weight_decay", weight_decay_, dtype));
  const At after = at.In(at.scope().WithControlDependencies(update));
  return variable.AssignSub(after, ops::Mul(at, rate, variable.Read(after)));
}

}  // namespace millrace
