#include "millrace/ops/training/moving_average.h"

#include "millrace/ops/builder/call.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/training/add_operation.h"
#include "millrace/proto/value/strings.h"

namespace millrace {

Variable ExponentialMovingAverage::average(const Variable& variable) const {
  if (!variable.valid()) return Variable();
  const auto it = averages_.find(variable.handle().endpoint().node);
  return it == averages_.end() ? Variable() : it->second;
}

Operation ExponentialMovingAverage::Apply(At at, const std::vector<Variable>& variables) {
  if (!at.scope().ok()) return Operation();
  for (const Variable& variable : variables) {
    if (!variable.valid()) return Operation();
    Variable& average = averages_[variable.handle().endpoint().node];
    if (average.valid()) continue;
    const char* wrong = !IsFloating(variable.dtype())       ? "a moving average is of floating-point values"
                        : !variable.initial_value().valid() ? "a moving average begins with an initial value"
                                                            : nullptr;
    if (wrong != nullptr) {
      at.scope().Fail(
          InvalidArgument(Cat(wrong, ", which the variable of ", DTypeName(variable.dtype()), " does not have"))
              .At(variable.name(), variable.handle().node().op().name()),
          at.where());
      return Operation();
    }
    const Scope scope =
        at.scope().InNameScope("").WithOpName(Cat(variable.name(), "/", options_.name)).ColocateWith(variable.handle());
    average =
        Variable(at.In(scope), variable.initial_value(), {.resource = variable.is_resource(), .trainable = false});
  }

  const Scope scope = at.scope().ForCall(options_.name);
  const At in = at.In(scope);
  std::map<DType, Output> rests;  // 1 - decay
  std::vector<Operation> updates;
  for (const Variable& variable : variables) {
    const DType dtype = variable.dtype();
    Output& rest = rests[dtype];
    if (!rest.valid()) {
      const auto number = [&](const Operand& value) {
        return value.output() == nullptr ? Const(in, value, dtype) : ops::Cast(in, *value.output(), dtype);
      };
      Output decay = number(decay_);
      if (options_.num_updates.valid()) {
        const Output n = number(options_.num_updates.Read(in));
        decay = ops::Minimum(in, decay, ops::RealDiv(in, ops::AddV2(in, n, 1), ops::AddV2(in, n, 10)));
      }
      rest = ops::Sub(in, Const(in, 1, dtype), decay);
    }
    const Variable& average = averages_[variable.handle().endpoint().node];
    const At own = in.In(scope.NewSubScope("update_" + variable.name()).ColocateWith(variable.handle()));
    const Output delta = ops::Mul(own, ops::Sub(own, average.Read(own), variable.Read(own)), rest);
    updates.push_back(average.AssignSub(own, delta));
  }
  return AddOperation(in, NameOf(scope), "NoOp", updates);
}

}  // namespace millrace
