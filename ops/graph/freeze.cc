#include "millrace/ops/graph/freeze.h"

#include <array>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "millrace/ops/graph/tensor_name.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

bool IsVariable(const Node& node) {
  const std::string& op = node.op().name();
  return op == "VariableV2" || op == "Variable" || op == "VarHandleOp";
}

// The variable's dtype behind the output, or kInvalid where that is none: a
// reference, or a handle of a variable.
DType VariableType(const Endpoint& e) {
  const DType type = e.node->output_types()[static_cast<size_t>(e.index)];
  if (IsRef(type)) return BaseType(type);
  return type == DType::kResource ? e.node->output(e.index).handle_dtype : DType::kInvalid;
}

struct Cut {
  std::vector<Node*> fetched;
  std::unordered_set<const Node*> fed;
};

Result<Cut> FindCut(const Graph& graph, const FreezeOptions& options) {
  Cut cut;
  for (const std::string& name : options.feeds) {
    MR_ASSIGN_OR_RETURN(const Endpoint e, graph.FindEndpoint(name));
    if (e.index != 0 || e.node->num_outputs() != 1) {
      return InvalidArgument(Cat("feed '", name, "': expected the only output of a node, found one of ",
                                 e.node->num_outputs(), " of '", e.node->name(), "' (", e.node->op().name(), ")"));
    }
    cut.fed.insert(e.node);
  }
  for (const std::string& name : options.fetches) {
    MR_ASSIGN_OR_RETURN(const Endpoint e, graph.FindEndpoint(name));
    cut.fetched.push_back(e.node);
  }
  return cut;
}

// What the fetched nodes are made of and wait for, up to what is fed.
std::unordered_set<const Node*> Needed(const Cut& cut) {
  std::unordered_set<const Node*> needed;
  std::vector<const Node*> next(cut.fetched.begin(), cut.fetched.end());
  while (!next.empty()) {
    const Node* const node = next.back();
    next.pop_back();
    if (!needed.insert(node).second || cut.fed.contains(node)) continue;
    for (const Endpoint& e : node->inputs()) next.push_back(e.node);
    next.insert(next.end(), node->control_inputs().begin(), node->control_inputs().end());
  }
  return needed;
}

class Freezer {
 public:
  Freezer(const Graph& graph, const std::map<std::string, Tensor>& values) : graph_(graph), values_(values) {}

  Result<GraphDef> Run(const FreezeOptions& options) {
    MR_ASSIGN_OR_RETURN(const Cut cut, FindCut(graph_, options));
    const auto needed = Needed(cut);
    for (const auto& node : graph_.nodes()) {
      if (!needed.contains(node.get())) continue;
      MR_ASSIGN_OR_RETURN(NodeDef def, cut.fed.contains(node.get()) ? Fed(*node) : Frozen(*node));
      out_.nodes.push_back(std::move(def));
    }
    DropUnused(cut);
    for (const NodeDef& def : out_.nodes) {
      if (missing_.contains(def.name)) return FailedPrecondition("the variable has no value").At(def.name, def.op);
    }
    out_.versions = graph_.versions();
    out_.has_versions = true;
    if (CallsFunctions()) {
      out_.library = graph_.library();
      out_.has_library = true;
    }
    return std::move(out_);
  }

 private:
  Result<NodeDef> Fed(const Node& node) {
    NodeDef def = node.ToNodeDef();
    if (node.op().name() == "Placeholder") return def;
    const DType type = BaseType(node.output_types()[0]);
    if (type == DType::kResource || type == DType::kVariant) {
      return InvalidArgument(Cat("a ", DTypeName(type), " cannot be fed")).At(node.name(), node.op().name());
    }
    def.op = "Placeholder";
    def.inputs.clear();
    def.attrs = {{"dtype", type}, {"shape", node.output(0).shape.ToShape()}};
    def.unread_fields.clear();
    return def;
  }

  Result<NodeDef> Frozen(const Node& node) {
    Result<NodeDef> def = IsVariable(node) ? Value(node) : Reader(node);
    if (def.ok()) return def;
    return def.status().At(node.name(), node.op().name());
  }

  // The variable itself, as a Const.
  Result<NodeDef> Value(const Node& node) {
    auto found = values_.find(node.name());
    if (found == values_.end()) {
      const auto shared = node.attrs().find("shared_name");
      if (shared != node.attrs().end()) found = values_.find(*shared->second.get<std::string>());
    }
    if (found == values_.end()) {
      missing_.insert(node.name());
      return node.ToNodeDef();
    }
    Tensor value = found->second;
    const DType type = *node.attrs().find("dtype")->second.get<DType>();
    if (type == DType::kBfloat16 && value.dtype() == DType::kUint16) {
      value = Tensor(DType::kBfloat16, value.shape(), value.buffer());
    }
    const Shape& shape = node.attrs().find("shape")->second.get<ShapeValue>()->shape;
    // A scalar's shape of the old op may be any.
    const bool fits = shape.IsCompatibleWith(value.shape()) || (node.op().name() == "Variable" && shape.rank() == 0);
    if (value.dtype() != type || !fits) {
      return InvalidArgument(Cat("expected a value of ", DTypeName(type), shape.ToString(), ", found ",
                                 DTypeName(value.dtype()), value.shape().ToString()));
    }
    NodeDef def = node.ToNodeDef();
    Become(&def, "Const", {{"dtype", type}, {"value", value.ToValue()}});
    return def;
  }

  // Any other node: what reads a variable reads the constant.
  Result<NodeDef> Reader(const Node& node) {
    NodeDef def = node.ToNodeDef();
    std::vector<DType> expected, ignored;
    MR_RETURN_IF_ERROR(ArgumentTypes(node.op().signature(), node.attrs(), &expected, &ignored));
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      const DType type = VariableType(node.inputs()[i]);
      // A reference is read where a plain tensor is wanted.
      if (type == DType::kInvalid || !(IsRef(expected[i]) || expected[i] == DType::kResource)) continue;
      for (const Effect& effect : node.op().effects()) {
        if (effect.kind == Effect::Kind::kWrite && effect.input == static_cast<int>(i)) {
          return InvalidArgument(Cat("it changes '", node.inputs()[i].node->name(),
                                     "', and what is fetched needs it: fetch what comes ",
                                     "before, or feed what it waits for"));
        }
      }
      return Read(node, type, std::move(def));
    }
    return def;
  }

  // A node whose input of a variable is of `type` behind the reference or handle.
  Result<NodeDef> Read(const Node& node, DType type, NodeDef def) {
    const std::string& op = node.op().name();
    const auto attr = [&](const char* name) { return node.attrs().find(name)->second; };
    if (op == "ReadVariableOp") {
      Become(&def, "Identity", {{"T", type}});
    } else if (op == "VariableShape") {
      Become(&def, "Shape", {{"T", type}, {"out_type", attr("out_type")}});
    } else if (op == "IsVariableInitialized" || op == "VarIsInitializedOp") {
      Become(&def, "Const", {{"dtype", DType::kBool}, {"value", Tensor::Scalar(true).ToValue()}});
      DropInputs(&def);
    } else if (op == "DisableCopyOnRead") {
      Become(&def, "NoOp", {});
      DropInputs(&def);
    } else if (op == "ResourceGather") {
      const int64_t batch = *attr("batch_dims").get<int64_t>();
      NodeDef axis;
      axis.name = FreeName(node.name() + "/axis");
      axis.op = "Const";
      axis.attrs = {{"dtype", DType::kInt32}, {"value", Tensor::Scalar(static_cast<int32_t>(batch)).ToValue()}};
      def.inputs.insert(def.inputs.begin() + 2, axis.name);
      Become(&def, "GatherV2",
             {{"Tparams", type}, {"Tindices", attr("Tindices")}, {"Taxis", DType::kInt32}, {"batch_dims", batch}});
      out_.nodes.push_back(std::move(axis));
    } else if (op == "ResourceGatherNd") {
      Become(&def, "GatherNd", {{"Tparams", type}, {"Tindices", attr("Tindices")}});
    } else if (PassesOn(op) && def.attrs.contains("T")) {
      if (op.starts_with("Ref")) def.op = op.substr(3);
      def.attrs["T"] = type;
    } else {
      return InvalidArgument(Cat("it takes a variable of ", DTypeName(type),
                                 " by reference or handle in a way that no constant can be read: fetch what comes "
                                 "before, or feed its result"));
    }
    return def;
  }

  // Ops that hand their input on as it is, values as well as handles.
  static bool PassesOn(std::string_view op) {
    if (op.starts_with("Ref")) op.remove_prefix(3);
    constexpr std::array<std::string_view, 6> kOps = {"Identity", "Switch", "Merge", "Enter", "Exit", "NextIteration"};
    for (std::string_view known : kOps) {
      if (op == known) return true;
    }
    return false;
  }

  // Another op; attributes that are not the op's own ("_class") stay.
  static void Become(NodeDef* def, const char* op, AttrMap attrs) {
    for (auto& [name, value] : def->attrs) {
      if (name.starts_with('_') && name != "_output_shapes") attrs.emplace(name, std::move(value));
    }
    def->op = op;
    def->attrs = std::move(attrs);
    def->unread_fields.clear();
  }

  static void DropInputs(NodeDef* def) {
    std::erase_if(def->inputs, [](const std::string& input) { return !input.starts_with('^'); });
  }

  std::string FreeName(const std::string& base) {
    std::string name = base;
    for (int i = 1; graph_.Find(name) != nullptr || !added_.insert(name).second; ++i) name = Cat(base, "_", i);
    return name;
  }

  // A variable that only DropInputs' nodes used is not needed any more; nodes are
  // not colocated with what is gone.
  void DropUnused(const Cut& cut) {
    std::unordered_map<std::string_view, const NodeDef*> by_name;
    for (const NodeDef& def : out_.nodes) by_name.emplace(def.name, &def);
    std::unordered_set<std::string> used;
    std::vector<std::string> next;
    for (const Node* node : cut.fetched) next.push_back(node->name());
    while (!next.empty()) {
      const std::string name = std::move(next.back());
      next.pop_back();
      if (!used.insert(name).second) continue;
      for (const std::string& input : by_name.at(name)->inputs) next.emplace_back(ParseTensorName(input).node);
    }
    by_name.clear();
    std::erase_if(out_.nodes, [&](const NodeDef& def) { return !used.contains(def.name); });
    for (NodeDef& def : out_.nodes) {
      const auto group = def.attrs.find("_class");
      if (group == def.attrs.end() || group->second.get<ListValue>() == nullptr) continue;
      ListValue list = *group->second.get<ListValue>();
      std::erase_if(list.s,
                    [&](const std::string& s) { return s.starts_with("loc:@") && !used.contains(s.substr(5)); });
      if (list.s.empty()) def.attrs.erase(group);
      else group->second = std::move(list);
    }
  }

  bool CallsFunctions() const {
    for (const NodeDef& def : out_.nodes) {
      for (const auto& [name, value] : def.attrs) {
        if (value.kind() == AttrValue::Kind::kFunc) return true;
        const auto* list = value.get<ListValue>();
        if (list != nullptr && !list->func.empty()) return true;
      }
    }
    return false;
  }

  const Graph& graph_;
  const std::map<std::string, Tensor>& values_;
  std::set<std::string> added_;
  std::set<std::string> missing_;  // variables without a value, which may be unused in the end
  GraphDef out_;
};

}  // namespace

Result<std::vector<const Node*>> NeededVariables(const Graph& graph, const FreezeOptions& options) {
  MR_ASSIGN_OR_RETURN(const Cut cut, FindCut(graph, options));
  const auto needed = Needed(cut);
  std::vector<const Node*> variables;
  for (const auto& node : graph.nodes()) {
    if (needed.contains(node.get()) && !cut.fed.contains(node.get()) && IsVariable(*node)) {
      variables.push_back(node.get());
    }
  }
  return variables;
}

Result<GraphDef> Freeze(const Graph& graph, const FreezeOptions& options, const std::map<std::string, Tensor>& values) {
  return Freezer(graph, values).Run(options);
}

}  // namespace millrace
