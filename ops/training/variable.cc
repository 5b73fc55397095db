#include "millrace/ops/training/variable.h"

#include <algorithm>

#include "millrace/ops/builder/call.h"
#include "millrace/ops/training/group.h"
#include "millrace/ops/training/variable_state.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

bool IsVariableOp(std::string_view op) { return op == "VarHandleOp" || op == "VariableV2" || op == "Variable"; }

// `value` as a tensor of `dtype`, where it is not one.
Output AsTensor(At at, std::string_view name, const Operand& value, DType dtype) {
  if (value.output() != nullptr) return *value.output();
  const DType wanted = value.tensor() != nullptr ? DType::kInvalid : dtype;
  return Const(at.In(at.scope().InNameScope(at.scope().name_scope()).WithOpName(name)), value, wanted);
}

// Outputs of internal nodes belong to the scope that the variable was made in, so
// that arithmetic on them goes there.
Output In(const Scope& scope, const Output& output) {
  return output.valid() ? Output(output.endpoint(), scope.state()) : Output();
}

Variable Register(const Scope& scope, std::shared_ptr<const Variable::State> state) {
  const Variable variable(std::move(state));
  VariableStore::Of(scope).by_node.emplace(variable.handle().endpoint().node, variable);
  scope.AddToCollection(kVariables, variable.handle());
  if (variable.trainable()) scope.AddToCollection(kTrainableVariables, variable.handle());
  return variable;
}

Output ReadOf(At at, bool resource, const Output& handle, DType dtype) {
  return resource ? Call(at, "ReadVariableOp", {handle}, {{"dtype", dtype}}).output()
                  : Call(at, "Identity", {handle}).output();
}

// The nodes of a new variable called `name`. `make_initial` gets the scope
// "name/Initializer/" of a handle's initial value, "name/" of a reference's.
template <typename MakeInitial>
Variable Make(At at, std::string name, const VariableOptions& options, const MakeInitial& make_initial) {
  const Scope outer = at.scope().WithNoControlDependencies();
  if (!outer.ok()) return Variable();
  auto state = std::make_shared<Variable::State>();
  state->name = std::move(name);
  state->resource = options.resource;
  state->trainable = options.trainable;
  const Scope own = outer.InNameScope(state->name + "/");
  const Output initial = make_initial(own);
  if (!initial.valid() || !outer.ok()) return Variable();
  state->dtype = BaseType(initial.dtype());
  state->shape = initial.shape().ToShape();

  NodeSpec spec{.name = state->name,
                .op = options.resource ? "VarHandleOp" : "VariableV2",
                .inputs = {},
                .control_inputs = {},
                .attrs = {{"dtype", state->dtype}, {"shape", state->shape}, {"container", options.container}},
                .device = {}};
  // A handle says itself what it is shared as: its name changes where the graph is
  // put under a prefix, the variable's does not.
  const bool named = options.resource || !options.shared_name.empty();
  spec.attrs["shared_name"] = !named ? std::string() : options.shared_name.empty() ? state->name : options.shared_name;
  if (options.resource) spec.attrs["debug_name"] = state->name;
  outer.Complete(&spec);
  Result<Node*> node = outer.graph()->AddNode(std::move(spec));
  if (!node.ok()) {
    outer.Fail(node.status(), at.where());
    return Variable();
  }
  state->handle = Output({*node, 0}, at.scope().state());
  const Scope with = own.ColocateWith(state->handle);
  state->initial_value = In(at.scope(), initial);
  if (options.resource) {
    Call(at.In(with.InNameScope(state->name + "/IsInitialized/")), "VarIsInitializedOp", {state->handle});
    state->initializer =
        Call(at.In(with.WithOpName("Assign")), "AssignVariableOp", {state->handle, initial}, {{"dtype", state->dtype}});
    state->value =
        In(at.scope(), ReadOf(at.In(with.InNameScope(state->name + "/Read/")), true, state->handle, state->dtype));
  } else {
    state->initializer = Call(at.In(with.WithOpName("Assign")), "Assign", {state->handle, initial});
    state->value = In(at.scope(), ReadOf(at.In(with.WithOpName("read")), false, state->handle, state->dtype));
  }
  return outer.ok() ? Register(at.scope(), std::move(state)) : Variable();
}

// The one that reads or assigns `node`: called as a new variable's would be, else
// the first.
Node* FindUser(const Node& node, std::string_view op, const std::string& name) {
  Node* found = nullptr;
  for (Node* user : node.users()) {
    if (user->op().name() != op || user->inputs()[0].node != &node) continue;
    if (user->name() == name) return user;
    if (found == nullptr && user->control_inputs().empty()) found = user;
  }
  return found;
}

}  // namespace

VariableStore& VariableStore::Of(const Scope& scope) {
  std::shared_ptr<void>& extension = scope.Extension("variables");
  if (extension == nullptr) extension = std::make_shared<VariableStore>();
  return *static_cast<VariableStore*>(extension.get());
}

Variable::Variable(At at, const Operand& initial_value, const VariableOptions& options) {
  if (!at.scope().ok()) return;
  *this = Make(at, at.scope().UniqueName("Variable"), options, [&](const Scope& own) {
    if (initial_value.output() != nullptr) return *initial_value.output();
    const Scope scope = options.resource ? own.InNameScope(own.name_scope() + "Initializer/") : own;
    return AsTensor(at.In(scope), "initial_value", initial_value, options.dtype);
  });
}

Variable::Variable(At at, const Shape& shape, DType dtype, const Initializer& initializer,
                   const VariableOptions& options) {
  if (at.scope().ok()) *this = MakeVariable(at, at.scope().UniqueName("Variable"), shape, dtype, initializer, options);
}

Variable MakeVariable(At at, std::string name, const Shape& shape, DType dtype, const Initializer& initializer,
                      const VariableOptions& options) {
  const char* op = options.resource ? "VarHandleOp" : "VariableV2";
  if (!shape.IsFullyKnown() || initializer == nullptr) {
    at.scope().Fail(InvalidArgument(initializer == nullptr
                                        ? std::string("expected a function that computes the initial value, found none")
                                        : Cat("expected a shape that is fully known, found ", shape.ToString()))
                        .At(name, op),
                    at.where());
    return Variable();
  }
  return Make(at, name, options, [&](const Scope& own) {
    const Output value = initializer(at.In(own.InNameScope(own.name_scope() + "Initializer/")), shape, dtype);
    if (!value.valid() || (value.dtype() == dtype && value.shape().ToShape().IsCompatibleWith(shape))) return value;
    at.scope().Fail(
        InvalidArgument(Cat("the initializer should give ", DTypeName(dtype), " of shape ", shape.ToString(),
                            ", found ", DTypeName(value.dtype()), " of shape ", value.shape().ToShape().ToString()))
            .At(name, op),
        at.where());
    return Output();
  });
}

Variable Variable::Existing(At at, std::string_view name, bool trainable) {
  const Scope& scope = at.scope();
  if (!scope.ok()) return Variable();
  Node* node = scope.graph()->Find(name);
  if (node == nullptr || !IsVariableOp(node->op().name())) {
    scope.Fail(node == nullptr ? NotFound(Cat("there is no variable '", name, "'"))
                               : NotFound("expected a variable").At(node->name(), node->op().name()),
               at.where());
    return Variable();
  }
  const auto& by_node = VariableStore::Of(scope).by_node;
  if (const auto it = by_node.find(node); it != by_node.end()) return it->second;

  auto state = std::make_shared<State>();
  state->name = node->name();
  state->resource = node->op().name() == "VarHandleOp";
  state->trainable = trainable;
  state->handle = Output({node, 0}, scope.state());
  state->dtype = BaseType(*node->attrs().find("dtype")->second.get<DType>());
  const InferenceContext::Output& inferred = node->output(0);
  state->shape = (state->resource ? inferred.handle_shape : inferred.shape).ToShape();
  const bool resource = state->resource;
  Node* read = FindUser(*node, resource ? "ReadVariableOp" : "Identity",
                        state->name + (resource ? "/Read/ReadVariableOp" : "/read"));
  if (read != nullptr) {
    state->value = Output({read, 0}, scope.state());
  } else {
    const Scope own = scope.WithNoControlDependencies().InNameScope(state->name + "/");
    state->value = In(scope, ReadOf(at.In(resource ? own.InNameScope(state->name + "/Read/") : own.WithOpName("read")),
                                    resource, state->handle, state->dtype));
  }
  if (Node* assign = FindUser(*node, resource ? "AssignVariableOp" : "Assign", state->name + "/Assign")) {
    state->initializer = Operation(assign, scope.state());
    state->initial_value = Output(assign->inputs()[1], scope.state());
  }
  return scope.ok() ? Register(scope, std::move(state)) : Variable();
}

const std::string& Variable::name() const { return state_->name; }
DType Variable::dtype() const { return state_->dtype; }
const Shape& Variable::shape() const { return state_->shape; }
bool Variable::is_resource() const { return state_->resource; }
bool Variable::trainable() const { return state_->trainable; }
const Output& Variable::handle() const { return state_->handle; }
const Output& Variable::value() const { return state_->value; }
const Operation& Variable::initializer() const { return state_->initializer; }
const Output& Variable::initial_value() const { return state_->initial_value; }

Output Variable::Read(At at) const { return valid() ? ReadOf(at, is_resource(), handle(), dtype()) : Output(); }

Output Variable::IsInitialized(At at) const {
  if (!valid()) return Output();
  return Call(at, is_resource() ? "VarIsInitializedOp" : "IsVariableInitialized", {handle()}).output();
}

namespace {

// An op on the variable with `operands`, the last of which has its dtype.
Operation Write(At at, const Variable& variable, const char* by_handle, const char* by_reference,
                std::vector<Argument> operands, const Operand& value) {
  if (!variable.valid()) return Operation();
  operands.insert(operands.begin(), variable.handle());
  // What a handle refers to does not decide the dtype of a literal.
  operands.push_back(variable.is_resource() ? Operand(AsTensor(at, "value", value, variable.dtype())) : value);
  return Call(at, variable.is_resource() ? by_handle : by_reference, operands);
}

}  // namespace

Operation Variable::Assign(At at, const Operand& value) const {
  return Write(at, *this, "AssignVariableOp", "Assign", {}, value);
}
Operation Variable::AssignAdd(At at, const Operand& delta) const {
  return Write(at, *this, "AssignAddVariableOp", "AssignAdd", {}, delta);
}
Operation Variable::AssignSub(At at, const Operand& delta) const {
  return Write(at, *this, "AssignSubVariableOp", "AssignSub", {}, delta);
}
Operation Variable::ScatterUpdate(At at, const Output& indices, const Operand& updates) const {
  return Write(at, *this, "ResourceScatterUpdate", "ScatterUpdate", {indices}, updates);
}
Operation Variable::ScatterAdd(At at, const Output& indices, const Operand& updates) const {
  return Write(at, *this, "ResourceScatterAdd", "ScatterAdd", {indices}, updates);
}
Operation Variable::ScatterSub(At at, const Output& indices, const Operand& updates) const {
  return Write(at, *this, "ResourceScatterSub", "ScatterSub", {indices}, updates);
}

namespace {

std::vector<Variable> InCollection(const Scope& scope, std::string_view collection) {
  const auto& by_node = VariableStore::Of(scope).by_node;
  std::vector<Variable> variables;
  for (const Output& output : scope.Collection(collection)) {
    if (const auto it = by_node.find(output.endpoint().node); it != by_node.end()) variables.push_back(it->second);
  }
  return variables;
}

}  // namespace

std::vector<Variable> Variables(const Scope& scope) { return InCollection(scope, kVariables); }
std::vector<Variable> TrainableVariables(const Scope& scope) { return InCollection(scope, kTrainableVariables); }

Operation InitializeVariables(At at) { return InitializeVariables(at, Variables(at.scope())); }

Operation InitializeVariables(At at, const std::vector<Variable>& variables) {
  std::vector<Operation> initializers;
  for (const Variable& variable : variables) {
    if (!variable.valid()) return Operation();
    if (!variable.initializer().valid()) {
      at.scope().Fail(InvalidArgument("nothing in the graph gives the variable its initial value")
                          .At(variable.name(), variable.handle().node().op().name()),
                      at.where());
      return Operation();
    }
    initializers.push_back(variable.initializer());
  }
  return Group(at, initializers, "init");
}

}  // namespace millrace
