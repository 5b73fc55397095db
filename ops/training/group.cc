#include "millrace/ops/training/group.h"

#include <algorithm>

#include "millrace/ops/training/add_operation.h"

namespace millrace {

Operation Group(At at, const std::vector<Operation>& operations, std::string_view name) {
  if (!at.scope().ok()) return Operation();
  return AddOperation(at, at.scope().UniqueName(name), "NoOp", operations);
}

Operation AddOperation(At at, std::string name, std::string_view op, const std::vector<Operation>& after,
                       const std::vector<Output>& inputs, AttrMap attrs) {
  const Scope& scope = at.scope();
  if (!scope.ok()) return Operation();
  NodeSpec spec;
  spec.name = std::move(name);
  spec.op = op;
  spec.attrs = std::move(attrs);
  for (const Output& input : inputs) {
    if (!input.valid()) return Operation();
    spec.inputs.push_back(input.endpoint());
  }
  for (const Operation& operation : after) {
    if (!operation.valid()) return Operation();
    auto& nodes = spec.control_inputs;
    if (std::find(nodes.begin(), nodes.end(), operation.node()) == nodes.end()) nodes.push_back(operation.node());
  }
  scope.Complete(&spec);
  Result<Node*> node = scope.graph()->AddNode(std::move(spec));
  if (node.ok()) return Operation(*node, scope.state());
  scope.Fail(node.status(), at.where());
  return Operation();
}

}  // namespace millrace
