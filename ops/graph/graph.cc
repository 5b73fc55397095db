#include "millrace/ops/graph/graph.h"

#include <charconv>

#include "millrace/ops/graph/node_maker.h"
#include "millrace/ops/graph/tensor_name.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// Constants with more elements than this are not looked at by shape functions.
constexpr int64_t kMaxConstantElements = 4096;

// What a graph that is built here says of itself: a version past every rule for
// old graphs.
constexpr int32_t kProducerVersion = 1286;

bool IsPlaceholder(std::string_view op) {
  return op == "Placeholder" || op == "PlaceholderV2" || op == "PlaceholderWithDefault";
}

std::string InputShapes(const Node& node, const DimTable& dims) {
  std::vector<std::string> texts;
  for (const Endpoint& e : node.inputs()) texts.push_back(dims.ToString(e.node->output(e.index).shape));
  return Join(texts, ", ");
}

}  // namespace

Graph::Graph(const Registry& registry) : registry_(registry) { versions_.producer = kProducerVersion; }
Graph::~Graph() = default;

Status Graph::Infer(Node* node, bool know_back_edges) {
  if (node->op().name() == "Const") {
    const auto it = node->attrs().find("value");
    const auto* value = it == node->attrs().end() ? nullptr : it->second.get<std::shared_ptr<const TensorValue>>();
    const std::optional<int64_t> count = value == nullptr ? std::nullopt : (*value)->shape.NumElements();
    if (count && *count <= kMaxConstantElements) {
      Result<Tensor> tensor = Tensor::FromValue(**value, HostAllocator());
      if (!tensor.ok()) return tensor.status().At(node->name(), node->op().name());
      node->constant_ = *std::move(tensor);
    }
  } else if (node->op().name() == "Identity" && !node->inputs_.empty()) {
    node->constant_ = node->inputs_[0].node->constant_;
  }
  std::vector<InferenceContext::Input> inputs(node->inputs_.size());
  std::vector<TensorView> views(node->inputs_.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Endpoint from = node->inputs_[i];
    InferenceContext::Input& input = inputs[i];
    input.dtype = node->input_types_[i];
    // The source of a loop's back edge is inferred later: nothing is known of it.
    if (from.node->outputs_.empty()) continue;
    if (!know_back_edges && IsBackEdge(from.node->op(), node->op())) continue;
    const InferenceContext::Output& output = from.node->output(from.index);
    input.shape = output.shape;
    if (output.has_elements) input.elements = &output.elements;
    if (from.node->constant_.valid()) {
      views[i] = from.node->constant_.view();
      input.constant = &views[i];
    }
    input.handle_dtype = output.handle_dtype;
    if (output.handle_dtype != DType::kInvalid) input.handle_shape = &output.handle_shape;
  }
  InferenceContext context(node->attrs_, std::move(inputs), node->num_outputs(), dims_);
  if (const Status s = node->op().shape_fn()(context); !s.ok()) {
    std::string message(s.message());
    if (!node->inputs_.empty()) message += "; input shapes are " + InputShapes(*node, dims_);
    return Status(s.code(), std::move(message), node->name_, node->op().name());
  }
  node->outputs_ = context.outputs();
  if (IsPlaceholder(node->op().name())) {
    std::vector<Dim>& dims = node->outputs_[0].shape.dims;
    for (size_t d = 0; d < dims.size(); ++d) {
      if (dims[d].unknown()) dims[d] = dims_.Symbol(Cat(node->name_, ".", d));
    }
  }
  return OkStatus();
}

Node* Graph::Find(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}

Result<Endpoint> Graph::FindEndpoint(std::string_view tensor) const {
  const TensorName name = ParseTensorName(tensor);
  Node* node = Find(name.node);
  if (node == nullptr) return NotFound(Cat("'", tensor, "': there is no node '", name.node, "'"));
  if (name.index >= node->num_outputs()) {
    return Status(
        Code::kNotFound,
        Cat("'", tensor, "': expected an output of the node's ", node->num_outputs(), ", found number ", name.index),
        node->name(), node->op().name());
  }
  return Endpoint{node, name.index};
}

NodeDef Node::ToNodeDef() const {
  NodeDef out;
  out.name = name_;
  out.op = op_->name();
  out.device = device_;
  out.attrs = attrs_;
  out.unread_fields = unread_fields_;
  for (const Endpoint& e : inputs_) {
    out.inputs.push_back(e.index == 0 ? e.node->name_ : Cat(e.node->name_, ":", e.index));
  }
  for (const Node* control : control_inputs_) out.inputs.push_back("^" + control->name_);
  return out;
}

GraphDef Graph::ToGraphDef() const {
  GraphDef def;
  def.nodes.reserve(nodes_.size());
  for (const auto& node : nodes_) def.nodes.push_back(node->ToNodeDef());
  def.library = library_;
  def.has_library = !library_.functions.empty() || !library_.gradients.empty();
  def.versions = versions_;
  def.has_versions = true;
  return def;
}

TensorName ParseTensorName(std::string_view text) {
  if (text.starts_with('^')) return {text.substr(1), -1};
  const size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && colon + 1 < text.size()) {
    int index = 0;
    const char* const end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data() + colon + 1, end, index);
    if (error == std::errc() && last == end && index >= 0) return {text.substr(0, colon), index};
  }
  return {text, 0};
}

std::string FullTensorName(std::string_view text) {
  return text.starts_with('^') || text.find(':') != std::string_view::npos ? std::string(text) : Cat(text, ":0");
}

}  // namespace millrace
