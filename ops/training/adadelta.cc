#include "millrace/ops/training/adadelta.h"

namespace millrace {

void AdadeltaOptimizer::CreateSlots(At at, const std::vector<Variable>& variables) {
  for (const Variable& variable : variables) {
    AddSlot(at, variable, "accum", ZerosInitializer());
    AddSlot(at, variable, "accum_update", ZerosInitializer());
  }
}

Operation AdadeltaOptimizer::ApplyDense(At at, const Variable& variable, const Output& gradient) {
  const DType dtype = variable.dtype();
  return Update(at, "ApplyAdadelta", {variable, slot(variable, "accum"), slot(variable, "accum_update")},
                {Hyper("learning_rate", learning_rate_, dtype), Hyper("rho", options_.rho, dtype),
                 Hyper("epsilon", options_.epsilon, dtype), gradient});
}

Operation AdadeltaOptimizer::ApplyRows(At at, const Variable& variable, const Output& values, const Output& indices) {
  const DType dtype = variable.dtype();
  return Update(at, "SparseApplyAdadelta", {variable, slot(variable, "accum"), slot(variable, "accum_update")},
                {Hyper("learning_rate", learning_rate_, dtype), Hyper("rho", options_.rho, dtype),
                 Hyper("epsilon", options_.epsilon, dtype), values, indices});
}

}  // namespace millrace
