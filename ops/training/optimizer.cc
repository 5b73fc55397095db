#include "millrace/ops/training/optimizer.h"

#include <algorithm>
#include <set>

#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/call.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/training/add_operation.h"
#include "millrace/ops/training/group.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// What does not fit between a gradient and its variable, or OK.
Status CheckGradient(const GradientAndVariable& pair) {
  const Variable& variable = pair.variable;
  const Output& values = pair.gradient.sparse() ? pair.gradient.slices().values : pair.gradient.dense();
  auto wrong = [&](const std::string& expected, const std::string& found) {
    return InvalidArgument(
               Cat("the gradient of variable '", variable.name(), "' should have ", expected, ", found ", found))
        .At(values.node().name(), values.node().op().name());
  };
  if (BaseType(values.dtype()) != variable.dtype()) {
    return wrong(Cat("dtype ", DTypeName(variable.dtype())), std::string(DTypeName(BaseType(values.dtype()))));
  }
  Shape expected = variable.shape();
  const Shape found = values.shape().ToShape();
  if (pair.gradient.sparse()) {
    if (expected.rank() == 0) return wrong("no slices: it is a scalar", "slices");
    if (expected.rank() > 0) expected.set_dim(0, Shape::kUnknownDim);
  }
  // Compatible either way: both may have unknown parts.
  if (expected.has_rank() && found.has_rank()) {
    bool fits = expected.rank() == found.rank();
    for (int i = 0; fits && i < expected.rank(); ++i) {
      fits = expected.dim(i) == found.dim(i) || expected.dim(i) < 0 || found.dim(i) < 0;
    }
    if (!fits) return wrong(Cat("shape ", expected.ToString()), found.ToString());
  }
  return OkStatus();
}

}  // namespace

Optimizer::~Optimizer() = default;

Operation Optimizer::Minimize(At at, const Output& loss, const MinimizeOptions& options) {
  const GradientsAndVariables gradients =
      ComputeGradients(at.In(at.scope().InNameScope(at.scope().name_scope())), loss, {.variables = options.variables});
  if (!at.scope().ok() || !loss.valid()) return Operation();
  return ApplyGradients(at.In(at.scope().WithControlDependencies(loss)), gradients,
                        {.global_step = options.global_step});
}

GradientsAndVariables Optimizer::ComputeGradients(At at, const Output& loss, const ComputeGradientsOptions& options) {
  const Scope& scope = at.scope();
  if (!scope.ok() || !loss.valid()) return {};
  const std::vector<Variable> variables = options.variables.empty() ? TrainableVariables(scope) : options.variables;
  const auto fail = [&](std::string message) {
    scope.Fail(InvalidArgument(std::move(message)).At(loss.node().name(), loss.node().op().name()), at.where());
    return GradientsAndVariables();
  };
  if (!IsFloating(BaseType(loss.dtype()))) {
    return fail(Cat("a loss should be half, bfloat16, float or double, found ", DTypeName(BaseType(loss.dtype()))));
  }
  if (variables.empty()) return fail("there are no trainable variables to minimise the loss by");
  std::vector<Output> xs;
  for (const Variable& variable : variables) {
    if (!variable.valid()) return {};
    xs.push_back(variable.handle());
  }
  GradientOptions gradient_options;
  if (options.grad_loss.valid()) gradient_options.grad_ys = {options.grad_loss};
  std::vector<Gradient> gradients = Gradients(at, {loss}, xs, gradient_options);
  if (!scope.ok() || gradients.size() != variables.size()) return {};
  GradientsAndVariables pairs;
  for (size_t i = 0; i < variables.size(); ++i) pairs.push_back({gradients[i], variables[i]});
  return pairs;
}

Operation Optimizer::ApplyGradients(At at, const GradientsAndVariables& gradients,
                                    const ApplyGradientsOptions& options) {
  if (!at.scope().ok()) return Operation();
  GradientsAndVariables pairs;
  std::set<const Node*> seen;
  std::string names;
  const auto fail = [&](Status status) {
    at.scope().Fail(std::move(status), at.where());
    return Operation();
  };
  for (const GradientAndVariable& pair : gradients) {
    if (!pair.variable.valid()) return Operation();
    names += Cat(names.empty() ? "" : ", ", pair.variable.name());
    if (!seen.insert(pair.variable.handle().endpoint().node).second) {
      return fail(
          InvalidArgument(Cat("variable '", pair.variable.name(), "' comes twice")).At(name_, "ApplyGradients"));
    }
    if (pair.gradient.none()) continue;
    if (Status status = CheckGradient(pair); !status.ok()) return fail(std::move(status));
    pairs.push_back(pair);
  }
  if (pairs.empty()) {
    return fail(InvalidArgument(Cat("no variable has a gradient: the loss depends on none of [", names, "]"))
                    .At(name_, "ApplyGradients"));
  }

  std::vector<Variable> variables;
  for (const GradientAndVariable& pair : pairs) variables.push_back(pair.variable);
  // Variables of the optimiser stand beside those that it trains.
  CreateSlots(at.In(at.scope().InNameScope(at.scope().name_scope()).WithNoControlDependencies()), variables);

  const Scope scope = at.scope().ForCall(name_);
  step_scope_ = scope.WithNoControlDependencies();
  hyper_.clear();
  std::vector<Operation> updates;
  for (const GradientAndVariable& pair : pairs) {
    const Scope one = scope.NewSubScope("update_" + pair.variable.name()).ColocateWith(pair.variable.handle());
    updates.push_back(UpdateOne(at.In(one), pair.variable, pair.gradient));
  }
  Finish(at.In(scope), &updates);
  if (!scope.ok()) return Operation();
  if (!options.global_step.valid()) {
    return AddOperation(at.In(scope), NameOf(scope), "NoOp", updates);
  }
  const Operation updated = Group(at.In(scope), updates, "update");
  const Variable& step = options.global_step;
  const Scope after = scope.WithControlDependencies(updated).ColocateWith(step.handle());
  const Output one = Const(at.In(after.WithOpName("value")), 1, step.dtype());
  return AddOperation(at.In(after), NameOf(scope), step.is_resource() ? "AssignAddVariableOp" : "AssignAdd", {},
                      {step.handle(), one}, {{step.is_resource() ? "dtype" : "T", step.dtype()}});
}

Operation Optimizer::UpdateOne(At at, const Variable& variable, const Gradient& gradient) {
  return gradient.sparse() ? ApplySparse(at, variable, gradient.slices().values, gradient.slices().indices)
                           : ApplyDense(at, variable, gradient.dense());
}

Variable Optimizer::slot(const Variable& variable, std::string_view slot) const {
  if (!variable.valid()) return Variable();
  const auto it = slots_.find({variable.handle().endpoint().node, std::string(slot)});
  return it == slots_.end() ? Variable() : it->second;
}

void Optimizer::CreateSlots(At at, const std::vector<Variable>& variables) {}
void Optimizer::Finish(At at, std::vector<Operation>* updates) {}

Operation Optimizer::ApplySparse(At at, const Variable& variable, const Output& values, const Output& indices) {
  const auto unique = ops::Unique(at, indices);
  const Output count = ops::Size(at, unique.y);
  return ApplyRows(at, variable, ops::UnsortedSegmentSum(at, values, unique.idx, count), unique.y);
}

Operation Optimizer::ApplyRows(At at, const Variable& variable, const Output& values, const Output& indices) {
  at.scope().Fail(Unimplemented(Cat("optimiser ", name_, " has no update for the sparse gradient of variable '",
                                    variable.name(), "'"))
                      .At(values.name(), "ApplyGradients"),
                  at.where());
  return Operation();
}

Variable Optimizer::AddSlot(At at, const Variable& variable, std::string_view slot, const Initializer& initializer) {
  Variable& entry = slots_[{variable.handle().endpoint().node, std::string(slot)}];
  if (entry.valid() || !at.scope().ok()) return entry;
  const Scope scope =
      at.scope().InNameScope("").WithOpName(Cat(variable.name(), "/", name_)).ColocateWith(variable.handle());
  const VariableOptions options{.resource = variable.is_resource(), .trainable = false};
  if (variable.shape().IsFullyKnown()) {
    entry = Variable(at.In(scope), variable.shape(), variable.dtype(), initializer, options);
  } else if (variable.initial_value().valid()) {
    // Of the initial value's shape, which is known when it is computed.
    const At in = at.In(at.scope().InNameScope("").NewSubScope(Cat(variable.name(), "/", name_, "/Initializer")));
    const Output one = initializer(in, Shape(), variable.dtype());
    entry = Variable(at.In(scope), ops::Fill(in, ops::Shape(in, variable.initial_value()), one), options);
  } else {
    at.scope().Fail(InvalidArgument(Cat("the optimiser's slot '", slot, "' needs the variable's shape, which is ",
                                        variable.shape().ToString(), ", or its initial value, which is not there"))
                        .At(variable.name(), variable.handle().node().op().name()),
                    at.where());
  }
  if (entry.valid()) variables_.push_back(entry);
  return entry;
}

Variable Optimizer::AddCounter(At at, std::string_view name, const Operand& initial_value, const Variable& with) {
  const Scope scope = at.scope().WithOpName(name).ColocateWith(with.handle());
  const Variable counter(at.In(scope), initial_value,
                         {.resource = with.is_resource(), .trainable = false, .dtype = DType::kFloat});
  if (counter.valid()) variables_.push_back(counter);
  return counter;
}

Output Optimizer::Hyper(std::string_view name, const Operand& value, DType dtype) {
  Output& made = hyper_[{std::string(name), dtype}];
  if (made.valid() || !step_scope_ || !step_scope_->ok()) return made;
  const At at(*step_scope_);
  if (value.output() != nullptr) {
    const bool fits = !value.output()->valid() || BaseType(value.output()->dtype()) == dtype;
    made = fits ? *value.output() : ops::Cast(at, *value.output(), dtype);
  } else {
    made = Const(at.In(at.scope().WithOpName(name)), value, dtype);
  }
  return made;
}

Operation Optimizer::Update(At at, std::string_view op, const std::vector<Variable>& variables,
                            const std::vector<Operand>& operands, AttrMap attrs) {
  if (!at.scope().ok() || variables.empty()) return Operation();
  std::vector<Argument> arguments;
  for (const Variable& variable : variables) {
    if (!variable.valid()) return Operation();
    arguments.emplace_back(variable.handle());
  }
  for (const Operand& operand : operands) arguments.emplace_back(operand);
  const bool resource = variables[0].is_resource();
  return Call(at, resource ? Cat("Resource", op) : std::string(op), arguments, std::move(attrs));
}

}  // namespace millrace
