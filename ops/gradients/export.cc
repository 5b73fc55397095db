#include "millrace/ops/gradients/export.h"

#include <map>

#include "millrace/ops/gradients/gradient.h"

namespace millrace {
namespace {

constexpr char kDeferred[] = "Gradients";

// Adds what a deferred node computes; its users read that.
Result<std::vector<Output>> Expand(const std::shared_ptr<Graph>& graph, Node* deferred) {
  const size_t number_ys = deferred->attrs().find("Tys")->second.get<ListValue>()->type.size();
  const size_t number_grads = deferred->attrs().find("Tgrads")->second.get<ListValue>()->type.size();
  const Scope root(graph);
  std::vector<Output> ys, xs;
  GradientOptions options;
  options.unconnected = GradientOptions::Unconnected::kZero;
  for (size_t i = 0; i < deferred->inputs().size(); ++i) {
    const Output input(deferred->inputs()[i], root.state());
    (i < number_ys ? ys : i < number_ys + number_grads ? options.grad_ys : xs).push_back(input);
  }
  std::vector<Operation> before;
  for (Node* control : deferred->control_inputs()) before.emplace_back(control, root.state());
  const Scope scope = root.InNameScope(deferred->name() + "/").WithDevice(deferred->device());
  const At at(scope.WithControlDependencies(before));
  std::vector<Output> results;
  for (const Gradient& gradient : Gradients(at, ys, xs, options)) results.push_back(gradient.ToDense(at));
  if (!root.ok()) return root.status();
  // Copied: each change takes one out.
  for (Node* user : std::vector<Node*>(deferred->users())) {
    for (size_t i = 0; i < user->inputs().size(); ++i) {
      const Endpoint e = user->inputs()[i];
      if (e.node != deferred) continue;
      const Endpoint result = results[static_cast<size_t>(e.index)].endpoint();
      MR_RETURN_IF_ERROR(graph->ReplaceInput(user, static_cast<int>(i), result));
    }
  }
  return results;
}

}  // namespace

Result<GraphDef> ExportGraphDef(const std::shared_ptr<Graph>& graph) {
  std::vector<Node*> deferred;
  for (const auto& node : graph->nodes()) {
    if (node->op().name() == kDeferred) deferred.push_back(node.get());
  }
  std::map<std::string, std::vector<Output>> results;
  for (Node* node : deferred) {
    MR_ASSIGN_OR_RETURN(results[node->name()], Expand(graph, node));
  }
  GraphDef def = graph->ToGraphDef();
  for (NodeDef& node : def.nodes) {
    const auto expanded = results.find(node.name);
    if (expanded == results.end()) continue;
    std::erase_if(node.inputs, [](const std::string& input) { return !input.starts_with('^'); });
    ListValue types;
    for (size_t i = 0; i < expanded->second.size(); ++i) {
      const Output& result = expanded->second[i];
      node.inputs.insert(node.inputs.begin() + static_cast<std::ptrdiff_t>(i), result.name());
      types.type.push_back(result.dtype());
    }
    node.op = types.type.empty() ? "NoOp" : "IdentityN";
    node.attrs = {};
    if (!types.type.empty()) node.attrs.emplace("T", std::move(types));
  }
  return def;
}

}  // namespace millrace
