#include "millrace/ops/training/momentum.h"

namespace millrace {

void MomentumOptimizer::CreateSlots(At at, const std::vector<Variable>& variables) {
  for (const Variable& variable : variables) AddSlot(at, variable, "momentum", ZerosInitializer());
}

Operation MomentumOptimizer::ApplyDense(At at, const Variable& variable, const Output& gradient) {
  const DType dtype = variable.dtype();
  return Update(at, "ApplyMomentum", {variable, slot(variable, "momentum")},
                {Hyper("learning_rate", learning_rate_, dtype), gradient, Hyper("momentum", momentum_, dtype)},
                {{"use_nesterov", use_nesterov_}});
}

Operation MomentumOptimizer::ApplyRows(At at, const Variable& variable, const Output& values, const Output& indices) {
  const DType dtype = variable.dtype();
  return Update(at, "SparseApplyMomentum", {variable, slot(variable, "momentum")},
                {Hyper("learning_rate", learning_rate_, dtype), values, indices, Hyper("momentum", momentum_, dtype)},
                {{"use_nesterov", use_nesterov_}});
}

}  // namespace millrace
