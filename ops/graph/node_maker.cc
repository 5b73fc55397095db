#include "millrace/ops/graph/node_maker.h"

#include <algorithm>

#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// Graphs of older producers wrote a scalar shape where they meant an unknown one.
constexpr int32_t kLastProducerOfUnknownScalars = 21;

Status CheckShapeAttr(const std::string& name, const ShapeValue& value) {
  if (!value.shape.has_rank()) return OkStatus();
  if (value.shape.rank() > Shape::kMaxRank) {
    return InvalidArgument(Cat("attribute '", name, "': expected a shape of at most ", Shape::kMaxRank,
                               " dimensions, found ", value.shape.rank()));
  }
  for (int64_t extent : value.shape.dims()) {
    if (extent < -1) {
      return InvalidArgument(Cat("attribute '", name, "': expected extents of at least -1, found ", extent));
    }
  }
  return OkStatus();
}

Status CheckTensorAttr(const std::string& name, const std::shared_ptr<const TensorValue>& tensor, uint64_t max_bytes) {
  if (tensor == nullptr) return InvalidArgument(Cat("attribute '", name, "': expected a tensor, found none"));
  if (Status s = Validate(*tensor, max_bytes); !s.ok()) {
    const std::string_view which = s.code() == Code::kResourceExhausted ? " (tensor_bytes)" : "";
    return Status(s.code(), Cat("attribute '", name, "': ", s.message(), which));
  }
  return OkStatus();
}

// What holds of attributes whatever the op says of them.
Status CheckContents(const AttrMap& attrs, uint64_t max_tensor_bytes) {
  for (const auto& [name, value] : attrs) {
    if (const auto* shape = value.get<ShapeValue>()) MR_RETURN_IF_ERROR(CheckShapeAttr(name, *shape));
    if (const auto* tensor = value.get<std::shared_ptr<const TensorValue>>()) {
      MR_RETURN_IF_ERROR(CheckTensorAttr(name, *tensor, max_tensor_bytes));
    }
    if (const auto* list = value.get<ListValue>()) {
      for (const ShapeValue& shape : list->shape) MR_RETURN_IF_ERROR(CheckShapeAttr(name, shape));
      for (const auto& tensor : list->tensor) MR_RETURN_IF_ERROR(CheckTensorAttr(name, tensor, max_tensor_bytes));
    }
  }
  return OkStatus();
}

// Freezing turns variables into constants and leaves the types of references
// behind in the nodes that read them.
void DropReferenceTypes(const Op& op, AttrMap* attrs) {
  for (const AttrDef& def : op.signature().attrs) {
    if (def.type != "type" && def.type != "list(type)") continue;
    const auto it = attrs->find(def.name);
    if (it == attrs->end()) continue;
    if (const DType* type = it->second.get<DType>(); type != nullptr && IsRef(*type)) {
      it->second = BaseType(*type);
    } else if (const ListValue* list = it->second.get<ListValue>();
               list != nullptr && std::any_of(list->type.begin(), list->type.end(), IsRef)) {
      ListValue plain = *list;
      for (DType& t : plain.type) t = BaseType(t);
      it->second = std::move(plain);
    }
  }
}

}  // namespace

const Op& WithoutReferences(const Registry& registry, const Op& op, DType found) {
  if (!op.name().starts_with("Ref") || found == DType::kInvalid || IsRef(found)) return op;
  const Op* plain = registry.Find(std::string_view(op.name()).substr(3));
  return plain != nullptr ? *plain : op;
}

bool IsNextIteration(const Op& op) { return op.name() == "NextIteration" || op.name() == "RefNextIteration"; }
bool IsMerge(const Op& op) { return op.name() == "Merge" || op.name() == "RefMerge"; }

Status Graph::NodeMaker::CheckName(std::string_view name) {
  if (name.empty()) return InvalidArgument("expected a name, found none");
  if (name[0] == '^' || name.find(':') != std::string_view::npos) {
    return InvalidArgument("expected a name without '^' in front and without ':'");
  }
  return OkStatus();
}

Status Graph::NodeMaker::CheckInput(const Node& node, size_t index, Endpoint from, std::string_view text) {
  const auto invalid = [&](std::string message) {
    return Status(Code::kInvalidArgument, std::move(message), node.name_, node.op_->name());
  };
  const int outputs = from.node->num_outputs();
  if (from.index < 0 || from.index >= outputs) {
    return invalid(Cat("input '", text, "': expected an output of '", from.node->name(), "' (", from.node->op().name(),
                       "), which has ", outputs, ", found number ", from.index));
  }
  // The number is checked when all are there.
  if (index >= node.input_types_.size()) return OkStatus();
  const DType expected = node.input_types_[index];
  const DType found = from.node->output_types()[static_cast<size_t>(from.index)];
  // A reference is read where a plain tensor is wanted.
  if (found == expected || BaseType(found) == expected) return OkStatus();
  return invalid(Cat("input ", index, " ('", text, "'): expected ", DTypeName(expected), ", found ", DTypeName(found)));
}

Result<std::unique_ptr<Node>> Graph::NodeMaker::Make(std::string name, const Op& op, std::string device,
                                                     AttrMap attrs) const {
  auto node = std::make_unique<Node>();
  node->name_ = std::move(name);
  node->device_ = std::move(device);
  node->op_ = &op;
  node->attrs_ = std::move(attrs);
  const auto blame = [&](const Status& s) { return s.ok() ? s : s.At(node->name_, op.name()); };
  const OpDefValue& signature = op.signature();
  if (signature.has_deprecation && producer_ >= signature.deprecation.version) {
    return blame(Unimplemented(Cat("the op is there for graphs of producers below ", signature.deprecation.version,
                                   ", found ", producer_, ": ", signature.deprecation.explanation)));
  }
  if (op.shape_fn() == nullptr) return blame(Internal("the op has no shape function"));
  DropReferenceTypes(op, &node->attrs_);
  MR_RETURN_IF_ERROR(blame(CheckContents(node->attrs_, max_tensor_bytes_)));
  MR_RETURN_IF_ERROR(blame(CompleteAttrs(op, &node->attrs_)));
  if (op.name() == "Placeholder" && producer_ <= kLastProducerOfUnknownScalars) {
    AttrValue& shape = node->attrs_["shape"];
    if (const auto* value = shape.get<ShapeValue>(); value != nullptr && value->shape.rank() == 0) {
      shape = Shape::UnknownRank();
    }
  }
  MR_RETURN_IF_ERROR(blame(ArgumentTypes(signature, node->attrs_, &node->input_types_, &node->output_types_)));
  return node;
}

Status Graph::NodeMaker::AddInput(Node* node, Endpoint from, std::string_view text) const {
  MR_RETURN_IF_ERROR(CheckInput(*node, node->inputs_.size(), from, text));
  node->inputs_.push_back(from);
  return OkStatus();
}

Status Graph::NodeMaker::Finish(Node* node) const {
  if (node->inputs_.size() != node->input_types_.size()) {
    return Status(Code::kInvalidArgument,
                  Cat("expected ", node->input_types_.size(), " inputs, found ", node->inputs_.size()), node->name_,
                  node->op_->name());
  }
  return graph_.Infer(node);
}

Node* Graph::NodeMaker::Commit(std::unique_ptr<Node> node) const {
  node->id_ = static_cast<int>(graph_.nodes_.size());
  for (const Endpoint& e : node->inputs_) e.node->users_.push_back(node.get());
  for (Node* before : node->control_inputs_) before->control_users_.push_back(node.get());
  graph_.by_name_.emplace(node->name_, node.get());
  graph_.nodes_.push_back(std::move(node));
  return graph_.nodes_.back().get();
}

}  // namespace millrace
