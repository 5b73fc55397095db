#include "millrace/ops/training/variable_scope.h"

#include "millrace/ops/training/variable_state.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// Of the innermost variable scope around `scope`; the root's names begin with nothing.
VariableStore::Names NamesOf(const Scope& scope) {
  const auto& scopes = VariableStore::Of(scope).scopes;
  std::string name_scope = scope.name_scope();
  while (!name_scope.empty()) {
    if (const auto it = scopes.find(name_scope); it != scopes.end()) return it->second;
    const size_t slash = name_scope.rfind('/', name_scope.size() - 2);
    name_scope.resize(slash == std::string::npos ? 0 : slash + 1);
  }
  return {};
}

Variable Fail(At at, const Status& status, std::string_view name) {
  at.scope().Fail(status.At(name, "GetVariable"), at.where());
  return Variable();
}

}  // namespace

Scope VariableScope(const Scope& parent, std::string_view name, Reuse reuse) {
  VariableStore::Names names = NamesOf(parent);
  names.prefix = Cat(names.prefix, name, "/");
  if (reuse != Reuse::kNo) names.reuse = reuse;
  Scope scope = parent.NewSubScope(name);
  if (scope.ok()) VariableStore::Of(scope).scopes[scope.name_scope()] = std::move(names);
  return scope;
}

Variable GetVariable(At at, std::string_view name, const Shape& shape, DType dtype, const Initializer& initializer,
                     const VariableOptions& options) {
  const Scope& scope = at.scope();
  if (!scope.ok()) return Variable();
  const VariableStore::Names names = NamesOf(scope);
  const std::string full = Cat(names.prefix, name);
  VariableStore& store = VariableStore::Of(scope);
  if (const auto it = store.by_name.find(full); it != store.by_name.end()) {
    const Variable& found = it->second;
    if (names.reuse == Reuse::kNo) {
      return Fail(at,
                  AlreadyExists("there is a variable of that name; to share it, open the variable scope with "
                                "Reuse::kYes or Reuse::kAuto"),
                  full);
    }
    if (found.dtype() != dtype) {
      return Fail(
          at,
          InvalidArgument(Cat("the shared variable holds ", DTypeName(found.dtype()), ", found ", DTypeName(dtype))),
          full);
    }
    if (!found.shape().IsCompatibleWith(shape)) {
      return Fail(at,
                  InvalidArgument(
                      Cat("the shared variable has shape ", found.shape().ToString(), ", found ", shape.ToString())),
                  full);
    }
    return found;
  }
  if (names.reuse == Reuse::kYes) {
    return Fail(at,
                NotFound("there is no variable of that name; Reuse::kYes shares only, Reuse::kAuto makes what is not "
                         "there"),
                full);
  }
  if (const Node* node = scope.graph()->Find(full)) {
    return Fail(at, AlreadyExists(Cat("the name is taken by a node of op ", node->op().name())), full);
  }
  // Names of variables stand for themselves, in checkpoints for one: never made
  // unique behind the program's back.
  const std::string unique = scope.InNameScope("").UniqueName(full);
  if (!scope.ok()) return Variable();
  if (unique != full) {
    return Fail(at, AlreadyExists("the name is taken by a scope, or differs from another only in upper and lower case"),
                full);
  }
  const Variable variable = MakeVariable(at, full, shape, dtype, initializer, options);
  if (variable.valid()) store.by_name.emplace(full, variable);
  return variable;
}

Variable GetVariable(At at, std::string_view name, const Shape& shape, DType dtype) {
  return GetVariable(at, name, shape, dtype, IsFloating(dtype) ? GlorotUniformInitializer() : ZerosInitializer());
}

Variable GlobalStep(At at, bool resource) {
  constexpr char kName[] = "global_step";
  const Scope& scope = at.scope();
  if (!scope.ok()) return Variable();
  if (scope.graph()->Find(kName) != nullptr) {
    Variable found = Variable::Existing(at, kName, /*trainable=*/false);
    if (found.valid() && (found.dtype() == DType::kInt64 || found.dtype() == DType::kInt32)) return found;
    if (!found.valid()) return found;
    return Fail(at, InvalidArgument(Cat("expected a variable of int64 or int32, found ", DTypeName(found.dtype()))),
                kName);
  }
  return GetVariable(at.In(scope.InNameScope("")), kName, Shape(std::vector<int64_t>{}), DType::kInt64,
                     ZerosInitializer(), {.resource = resource, .trainable = false});
}

}  // namespace millrace
