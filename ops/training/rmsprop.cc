#include "millrace/ops/training/rmsprop.h"

#include "millrace/proto/value/strings.h"

namespace millrace {

void RMSPropOptimizer::CreateSlots(At at, const std::vector<Variable>& variables) {
  for (const Variable& variable : variables) {
    AddSlot(at, variable, "rms", OnesInitializer());
    if (options_.centered) AddSlot(at, variable, "mg", ZerosInitializer());
    AddSlot(at, variable, "momentum", ZerosInitializer());
  }
}

Operation RMSPropOptimizer::ApplyDense(At at, const Variable& variable, const Output& gradient) {
  return Apply(at, "Apply", variable, {gradient});
}

Operation RMSPropOptimizer::ApplyRows(At at, const Variable& variable, const Output& values, const Output& indices) {
  return Apply(at, "SparseApply", variable, {values, indices});
}

Operation RMSPropOptimizer::Apply(At at, std::string_view prefix, const Variable& variable, const Operands& gradient) {
  const DType dtype = variable.dtype();
  std::vector<Variable> variables = {variable};
  if (options_.centered) variables.push_back(slot(variable, "mg"));
  variables.push_back(slot(variable, "rms"));
  variables.push_back(slot(variable, "momentum"));
  Operands operands = {Hyper("learning_rate", learning_rate_, dtype), Hyper("decay", options_.decay, dtype),
                       Hyper("momentum", options_.momentum, dtype), Hyper("epsilon", options_.epsilon, dtype)};
  operands.insert(operands.end(), gradient.begin(), gradient.end());
  return Update(at, Cat(prefix, options_.centered ? "CenteredRMSProp" : "RMSProp"), variables, operands);
}

}  // namespace millrace
