// Nodes that arrive one by one.
#include "millrace/ops/graph/node_maker.h"
#include "millrace/ops/graph/tensor_name.h"
#include "millrace/proto/value/strings.h"

namespace millrace {

Status Graph::CheckOwn(const Node* node, std::string_view what) const {
  const auto id = node == nullptr ? nodes_.size() : static_cast<size_t>(node->id());
  if (id < nodes_.size() && nodes_[id].get() == node) return OkStatus();
  return InvalidArgument(node == nullptr
                             ? Cat(what, ": expected a node, found none")
                             : Cat(what, ": expected a node of this graph, found '", node->name(), "', which is none"));
}

Result<Node*> Graph::AddNode(NodeSpec spec) {
  const auto blame = [&](const Status& s) { return s.ok() ? s : s.At(spec.name, spec.op); };
  MR_RETURN_IF_ERROR(blame(NodeMaker::CheckName(spec.name)));
  if (by_name_.count(spec.name) != 0) {
    return blame(InvalidArgument("expected a name of its own, found a node of that name in the graph"));
  }
  const Op* op = registry_.Find(spec.op);
  if (op == nullptr && FindFunction(spec.op) != nullptr) {
    return blame(Unimplemented(Cat("expected an op of the registry, found '", spec.op,
                                   "', a function of the graph's library; InlineFunction puts its body here")));
  }
  if (op == nullptr) {
    return blame(NotFound(Cat("expected an op of the registry, found '", spec.op, "', which is none")));
  }
  const NodeMaker maker(this, versions_.producer, ImportOptions().max_tensor_bytes);
  MR_ASSIGN_OR_RETURN(std::unique_ptr<Node> node,
                      maker.Make(std::move(spec.name), *op, std::move(spec.device), std::move(spec.attrs)));
  for (size_t i = 0; i < spec.inputs.size(); ++i) {
    const Endpoint from = spec.inputs[i];
    if (const Status s = CheckOwn(from.node, Cat("input ", i)); !s.ok()) return s.At(node->name_, spec.op);
    MR_RETURN_IF_ERROR(maker.AddInput(node.get(), from, Cat(from.node->name(), ":", from.index)));
  }
  for (Node* before : spec.control_inputs) {
    if (const Status s = CheckOwn(before, "control input"); !s.ok()) return s.At(node->name_, spec.op);
  }
  node->control_inputs_ = std::move(spec.control_inputs);
  MR_RETURN_IF_ERROR(maker.Finish(node.get()));
  return maker.Commit(std::move(node));
}

Result<Node*> Graph::AddNode(const NodeDef& def) {
  NodeSpec spec{def.name, def.op, {}, {}, def.attrs, def.device};
  const auto invalid = [&](std::string message) {
    return Status(Code::kInvalidArgument, std::move(message), def.name, def.op);
  };
  for (const std::string& input : def.inputs) {
    const TensorName name = ParseTensorName(input);
    Node* from = Find(name.node);
    if (from == nullptr) {
      return invalid(Cat("input '", input, "': expected the name of a node, found no node '", name.node, "'"));
    }
    if (name.index < 0) {
      spec.control_inputs.push_back(from);
    } else if (!spec.control_inputs.empty()) {
      return invalid(Cat("expected control inputs last, found input '", input, "' after one"));
    } else {
      spec.inputs.push_back({from, name.index});
    }
  }
  const Op* op = registry_.Find(def.op);
  if (op != nullptr && !spec.inputs.empty() && spec.inputs[0].index < spec.inputs[0].node->num_outputs()) {
    const Endpoint first = spec.inputs[0];
    spec.op = WithoutReferences(registry_, *op, first.node->output_types()[static_cast<size_t>(first.index)]).name();
  }
  MR_ASSIGN_OR_RETURN(Node * node, AddNode(std::move(spec)));
  node->unread_fields_ = def.unread_fields;
  return node;
}

}  // namespace millrace
