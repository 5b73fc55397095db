#include "millrace/ops/training/adam.h"

#include <algorithm>

#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/builder/operators.h"
#include "millrace/ops/training/group.h"

namespace millrace {
namespace {

Output As(At at, const Output& x, DType dtype) {
  return !x.valid() || BaseType(x.dtype()) == dtype ? x : ops::Cast(at, x, dtype);
}

}  // namespace

void AdamOptimizer::CreateSlots(At at, const std::vector<Variable>& variables) {
  if (!beta1_power_.valid()) {
    // With the first by name, so that the place does not depend on the order.
    const Variable& first = *std::min_element(variables.begin(), variables.end(),
                                              [](const Variable& a, const Variable& b) { return a.name() < b.name(); });
    beta1_power_ = AddCounter(at, "beta1_power", options_.beta1, first);
    beta2_power_ = AddCounter(at, "beta2_power", options_.beta2, first);
  }
  for (const Variable& variable : variables) {
    AddSlot(at, variable, "m", ZerosInitializer());
    AddSlot(at, variable, "v", ZerosInitializer());
  }
}

Operation AdamOptimizer::ApplyDense(At at, const Variable& variable, const Output& gradient) {
  const DType dtype = variable.dtype();
  return Update(at, "ApplyAdam", {variable, slot(variable, "m"), slot(variable, "v")},
                {As(at, beta1_power_, dtype), As(at, beta2_power_, dtype),
                 Hyper("learning_rate", learning_rate_, dtype), Hyper("beta1", options_.beta1, dtype),
                 Hyper("beta2", options_.beta2, dtype), Hyper("epsilon", options_.epsilon, dtype), gradient});
}

Operation AdamOptimizer::ApplyRows(At at, const Variable& variable, const Output& values, const Output& indices) {
  const DType dtype = variable.dtype();
  const Output beta1 = Hyper("beta1", options_.beta1, dtype), beta2 = Hyper("beta2", options_.beta2, dtype);
  const Output one = Hyper("one", 1, dtype);
  const Variable m = slot(variable, "m"), v = slot(variable, "v");
  if (!at.scope().ok() || !m.valid() || !v.valid()) return Operation();
  const Output rate = ops::RealDiv(at,
                                   ops::Mul(at, Hyper("learning_rate", learning_rate_, dtype),
                                            ops::Sqrt(at, ops::Sub(at, one, As(at, beta2_power_, dtype)))),
                                   ops::Sub(at, one, As(at, beta1_power_, dtype)));
  // A slot decays everywhere, then takes the rows' part; read after both.
  const auto moment = [&](const Variable& slot, const Output& beta, const Output& part) {
    const Operation decayed = slot.Assign(at, ops::Mul(at, slot, beta));
    const Operation added = slot.ScatterAdd(at.In(at.scope().WithControlDependencies(decayed)), indices,
                                            ops::Mul(at, part, ops::Sub(at, one, beta)));
    return slot.Read(at.In(at.scope().WithControlDependencies(added)));
  };
  const Output m_now = moment(m, beta1, values), v_now = moment(v, beta2, ops::Mul(at, values, values));
  const Output below = ops::AddV2(at, ops::Sqrt(at, v_now), Hyper("epsilon", options_.epsilon, dtype));
  return variable.AssignSub(at, ops::RealDiv(at, ops::Mul(at, rate, m_now), below));
}

void AdamOptimizer::Finish(At at, std::vector<Operation>* updates) {
  const Scope after = at.scope().WithControlDependencies(*updates);
  for (const auto& [power, beta, name] :
       {std::tuple<const Variable&, const Operand&, const char*>{beta1_power_, options_.beta1, "beta1"},
        {beta2_power_, options_.beta2, "beta2"}}) {
    if (!power.valid() || !at.scope().ok()) return;
    const Scope with = after.ColocateWith(power.handle());
    updates->push_back(power.Assign(at.In(with), ops::Mul(at.In(with), power, Hyper(name, beta, DType::kFloat))));
  }
}

}  // namespace millrace
