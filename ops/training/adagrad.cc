#include "millrace/ops/training/adagrad.h"

#include "millrace/proto/value/strings.h"

namespace millrace {

void AdagradOptimizer::CreateSlots(At at, const std::vector<Variable>& variables) {
  if (!(initial_accumulator_value_ > 0)) {
    at.scope().Fail(
        InvalidArgument(Cat("initial_accumulator_value should be positive, found ", initial_accumulator_value_))
            .At(name(), "ApplyGradients"),
        at.where());
  }
  for (const Variable& variable : variables) {
    AddSlot(at, variable, "accumulator", ConstantInitializer(initial_accumulator_value_));
  }
}

Operation AdagradOptimizer::ApplyDense(At at, const Variable& variable, const Output& gradient) {
  return Update(at, "ApplyAdagrad", {variable, slot(variable, "accumulator")},
                {Hyper("learning_rate", learning_rate_, variable.dtype()), gradient});
}

Operation AdagradOptimizer::ApplyRows(At at, const Variable& variable, const Output& values, const Output& indices) {
  return Update(at, "SparseApplyAdagrad", {variable, slot(variable, "accumulator")},
                {Hyper("learning_rate", learning_rate_, variable.dtype()), values, indices});
}

}  // namespace millrace
