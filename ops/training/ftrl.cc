#include "millrace/ops/training/ftrl.h"

#include "millrace/proto/value/strings.h"

namespace millrace {

void FtrlOptimizer::CreateSlots(At at, const std::vector<Variable>& variables) {
  if (!(options_.initial_accumulator_value >= 0)) {
    at.scope().Fail(InvalidArgument(Cat("initial_accumulator_value should be zero or more, found ",
                                        options_.initial_accumulator_value))
                        .At(name(), "ApplyGradients"),
                    at.where());
  }
  for (const Variable& variable : variables) {
    AddSlot(at, variable, "accum", ConstantInitializer(options_.initial_accumulator_value));
    AddSlot(at, variable, "linear", ZerosInitializer());
  }
}

Operation FtrlOptimizer::ApplyDense(At at, const Variable& variable, const Output& gradient) {
  return Apply(at, "Apply", variable, {gradient});
}

Operation FtrlOptimizer::ApplyRows(At at, const Variable& variable, const Output& values, const Output& indices) {
  return Apply(at, "SparseApply", variable, {values, indices});
}

Operation FtrlOptimizer::Apply(At at, std::string_view prefix, const Variable& variable, const Operands& gradient) {
  const DType dtype = variable.dtype();
  Operands operands = gradient;
  operands.push_back(Hyper("learning_rate", learning_rate_, dtype));
  operands.push_back(Hyper("l1", options_.l1, dtype));
  operands.push_back(Hyper("l2", options_.l2, dtype));
  const bool shrinks = options_.l2_shrinkage != 0;
  if (shrinks) operands.push_back(Hyper("l2_shrinkage", options_.l2_shrinkage, dtype));
  operands.push_back(Hyper("learning_rate_power", options_.learning_rate_power, dtype));
  return Update(at, Cat(prefix, shrinks ? "FtrlV2" : "Ftrl"),
                {variable, slot(variable, "accum"), slot(variable, "linear")}, operands);
}

}  // namespace millrace
