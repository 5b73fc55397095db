// Import: names are resolved, nodes are put in order, checked and inferred; only
// then does the graph change.
#include <algorithm>
#include <map>

#include "millrace/ops/graph/graph.h"
#include "millrace/ops/graph/tensor_name.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

constexpr size_t kNodesBetweenChecks = 1024;
constexpr size_t kNamesInMessages = 5;
// Graphs of older producers wrote a scalar shape where they meant an unknown one.
constexpr int32_t kLastProducerOfUnknownScalars = 21;

bool IsNextIteration(std::string_view op) { return op == "NextIteration" || op == "RefNextIteration"; }
bool IsMerge(std::string_view op) { return op == "Merge" || op == "RefMerge"; }

std::string Abbreviated(const std::vector<std::string_view>& names) {
  std::vector<std::string_view> shown(names.begin(),
                                      names.begin() + static_cast<ptrdiff_t>(std::min(names.size(), kNamesInMessages)));
  std::string out = Cat("'", Join(shown, "', '"), "'");
  if (names.size() > shown.size()) out += Cat(" and ", names.size() - shown.size(), " more");
  return out;
}

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
    return Status(s.code(), Cat("attribute '", name, "': ", s.message()));
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

class Graph::Importer {
 public:
  Importer(Graph* graph, const ImportOptions& options) : graph_(*graph), options_(options) {}

  Status Import(const GraphDef& def) {
    producer_ = def.versions.producer;
    defs_.reserve(def.nodes.size());
    for (const NodeDef& node : def.nodes) defs_.push_back(&node);
    MR_RETURN_IF_ERROR(CheckLibrary(def.library));
    MR_RETURN_IF_ERROR(IndexNames());
    MR_RETURN_IF_ERROR(FindOps(def.library));
    MR_RETURN_IF_ERROR(ResolveInputs());
    MR_RETURN_IF_ERROR(Order());
    MR_RETURN_IF_ERROR(MakeNodes());
    MR_RETURN_IF_ERROR(Connect());
    Commit();
    for (const FunctionDef* function : new_functions_) graph_.library_.functions.push_back(*function);
    graph_.library_.gradients.insert(graph_.library_.gradients.end(), def.library.gradients.begin(),
                                     def.library.gradients.end());
    graph_.library_.unread_fields += def.library.unread_fields;
    if (graph_.nodes_.size() == defs_.size()) graph_.versions_ = def.versions;
    return OkStatus();
  }

  // `def` alone; its inputs are nodes of the graph.
  Result<Node*> Add(const NodeDef& def) {
    producer_ = graph_.versions_.producer;
    defs_ = {&def};
    MR_RETURN_IF_ERROR(IndexNames());
    MR_RETURN_IF_ERROR(FindOps(graph_.library_));
    MR_RETURN_IF_ERROR(ResolveInputs());
    MR_RETURN_IF_ERROR(Order());
    MR_RETURN_IF_ERROR(MakeNodes());
    MR_RETURN_IF_ERROR(Connect());
    Commit();
    return graph_.nodes_.back().get();
  }

 private:
  // Where an input comes from: a node of this import, or one of the graph.
  struct Source {
    int32_t def = -1;
    Node* existing = nullptr;
    int index = 0;  // -1: control
  };

  Status Blame(size_t def, const Status& s) const { return s.ok() ? s : s.At(NameOf(def), defs_[def]->op); }
  Status Invalid(size_t def, std::string message) const {
    return Status(Code::kInvalidArgument, std::move(message), NameOf(def), defs_[def]->op);
  }
  std::string NameOf(size_t def) const {
    return options_.prefix.empty() ? defs_[def]->name : Cat(options_.prefix, "/", defs_[def]->name);
  }
  Status CheckCancelled(size_t i, std::string_view what) const {
    if (i % kNodesBetweenChecks != 0 || !options_.cancelled || !options_.cancelled()) return OkStatus();
    return Cancelled(Cat("import was cancelled while ", what, ", at node ", i, " of ", defs_.size()));
  }

  static bool HasFunction(const FunctionLibrary& library, std::string_view name) {
    return std::any_of(library.functions.begin(), library.functions.end(),
                       [&](const FunctionDef& f) { return f.signature.name == name; });
  }

  Status CheckLibrary(const FunctionLibrary& library) {
    std::map<std::string_view, const FunctionDef*> there;
    for (const FunctionDef& f : graph_.library_.functions) there[f.signature.name] = &f;
    for (const FunctionDef& f : library.functions) {
      const auto [it, fresh] = there.try_emplace(f.signature.name, &f);
      if (fresh) {
        new_functions_.push_back(&f);
      } else if (!(*it->second == f)) {
        return InvalidArgument(Cat("function '", f.signature.name, "' is there twice, with two bodies"));
      }
    }
    return OkStatus();
  }

  Status IndexNames() {
    index_.reserve(defs_.size());
    for (size_t i = 0; i < defs_.size(); ++i) {
      MR_RETURN_IF_ERROR(CheckCancelled(i, "reading names"));
      const std::string& name = defs_[i]->name;
      if (name.empty()) return Invalid(i, Cat("expected a name, found none for node number ", i));
      if (name[0] == '^' || name.find(':') != std::string::npos) {
        return Invalid(i, "expected a name without '^' in front and without ':'");
      }
      const auto [it, fresh] = index_.try_emplace(name, static_cast<int32_t>(i));
      if (!fresh) {
        return Invalid(i, Cat("expected a name of its own, found it twice: nodes number ", it->second, " and ", i));
      }
      if (graph_.by_name_.count(NameOf(i)) != 0) {
        return Invalid(i, "expected a name of its own, found a node of that name in the graph");
      }
    }
    return OkStatus();
  }

  Status FindOps(const FunctionLibrary& library) {
    ops_.resize(defs_.size());
    std::map<std::string_view, std::vector<std::string_view>> unknown;
    for (size_t i = 0; i < defs_.size(); ++i) {
      MR_RETURN_IF_ERROR(CheckCancelled(i, "looking up ops"));
      ops_[i] = graph_.registry_.Find(defs_[i]->op);
      if (ops_[i] == nullptr) unknown[defs_[i]->op].push_back(defs_[i]->name);
    }
    if (unknown.empty()) return OkStatus();
    std::string ops, functions;
    std::string_view first_node, first_op, first_function_node, first_function;
    for (const auto& [op, nodes] : unknown) {
      const bool function = HasFunction(library, op);
      std::string& list = function ? functions : ops;
      if (list.empty()) {
        (function ? first_function_node : first_node) = nodes[0];
        (function ? first_function : first_op) = op;
      } else {
        list += "; ";
      }
      list += Cat(op, " (", nodes.size() == 1 ? "node " : "nodes ", Abbreviated(nodes), ")");
    }
    if (!ops.empty()) {
      return Status(Code::kNotFound, "expected ops of the registry, found unknown ones: " + ops,
                    std::string(first_node), std::string(first_op));
    }
    return Status(Code::kUnimplemented, "calls of functions of the graph's library are not supported: " + functions,
                  std::string(first_function_node), std::string(first_function));
  }

  Status ResolveInputs() {
    first_input_.assign(1, 0);
    first_input_.reserve(defs_.size() + 1);
    for (size_t i = 0; i < defs_.size(); ++i) {
      MR_RETURN_IF_ERROR(CheckCancelled(i, "resolving inputs"));
      bool control = false;
      for (const std::string& input : defs_[i]->inputs) {
        const TensorName name = ParseTensorName(input);
        Source source;
        source.index = name.index;
        if (control && name.index >= 0) {
          return Invalid(i, Cat("expected control inputs last, found input '", input, "' after one"));
        }
        control = name.index < 0;
        const auto it = index_.find(name.node);
        if (it != index_.end()) {
          source.def = it->second;
        } else if (options_.prefix.empty()) {
          source.existing = graph_.Find(name.node);
        }
        if (source.def < 0 && source.existing == nullptr) {
          return Invalid(i, Cat("input '", input, "': expected the name of a node, found no node '", name.node, "'"));
        }
        sources_.push_back(source);
      }
      first_input_.push_back(sources_.size());
    }
    return OkStatus();
  }

  bool IsBackEdge(size_t from, size_t to) const {
    return IsNextIteration(ops_[from]->name()) && IsMerge(ops_[to]->name());
  }

  // Depth first from each node in the order of the file: inputs come before
  // their users, and a file that is sorted keeps its order.
  Status Order() {
    enum : uint8_t { kNew, kOpen, kDone };
    std::vector<uint8_t> state(defs_.size(), kNew);
    struct Visit {
      size_t def;
      size_t next;  // of sources_
    };
    std::vector<Visit> stack;
    order_.reserve(defs_.size());
    for (size_t root = 0; root < defs_.size(); ++root) {
      if (state[root] != kNew) continue;
      state[root] = kOpen;
      stack.push_back({root, first_input_[root]});
      while (!stack.empty()) {
        Visit& top = stack.back();
        if (top.next == first_input_[top.def + 1]) {
          MR_RETURN_IF_ERROR(CheckCancelled(order_.size(), "sorting nodes"));
          state[top.def] = kDone;
          order_.push_back(top.def);
          stack.pop_back();
          continue;
        }
        const Source& source = sources_[top.next++];
        if (source.def < 0) continue;
        const auto from = static_cast<size_t>(source.def);
        if (state[from] == kDone || (source.index >= 0 && IsBackEdge(from, top.def))) continue;
        if (state[from] == kOpen) {
          std::vector<std::string_view> cycle = {defs_[from]->name};
          for (auto it = stack.rbegin(); it != stack.rend() && it->def != from; ++it) {
            cycle.push_back(defs_[it->def]->name);
          }
          return Invalid(from, Cat("expected no cycle but loops through NextIteration, found one of ", cycle.size(),
                                   " nodes: ", Abbreviated(cycle)));
        }
        state[from] = kOpen;
        stack.push_back({from, first_input_[from]});
      }
    }
    return OkStatus();
  }

  DType TypeOf(const Source& source) const {
    const Node* node = source.def < 0 ? source.existing : made_[static_cast<size_t>(source.def)];
    if (node == nullptr || source.index >= node->num_outputs()) return DType::kInvalid;
    return node->output_types()[static_cast<size_t>(source.index)];
  }

  // An op on references that freezing left with plain inputs: the op without "Ref".
  const Op* Repaired(size_t def) const {
    const Op* op = ops_[def];
    if (!op->name().starts_with("Ref") || first_input_[def] == first_input_[def + 1]) return op;
    const Source& source = sources_[first_input_[def]];
    if (source.index < 0) return op;
    const DType type = TypeOf(source);
    if (type == DType::kInvalid || IsRef(type)) return op;
    const Op* plain = graph_.registry_.Find(std::string_view(op->name()).substr(3));
    return plain != nullptr ? plain : op;
  }

  Status MakeNodes() {
    made_.assign(defs_.size(), nullptr);
    nodes_.reserve(defs_.size());
    for (size_t k = 0; k < order_.size(); ++k) {
      MR_RETURN_IF_ERROR(CheckCancelled(k, "checking attributes"));
      const size_t i = order_[k];
      const NodeDef& def = *defs_[i];
      auto node = std::make_unique<Node>();
      node->name_ = NameOf(i);
      node->device_ = def.device;
      node->op_ = Repaired(i);
      node->attrs_ = def.attrs;
      node->unread_fields_ = def.unread_fields;
      const OpDefValue& signature = node->op_->signature();
      if (signature.has_deprecation && producer_ >= signature.deprecation.version) {
        return Blame(i,
                     Unimplemented(Cat("the op is there for graphs of producers below ", signature.deprecation.version,
                                       ", found ", producer_, ": ", signature.deprecation.explanation)));
      }
      if (node->op_->shape_fn() == nullptr) return Blame(i, Internal("the op has no shape function"));
      DropReferenceTypes(*node->op_, &node->attrs_);
      MR_RETURN_IF_ERROR(Blame(i, CheckContents(node->attrs_, options_.max_tensor_bytes)));
      MR_RETURN_IF_ERROR(Blame(i, CompleteAttrs(*node->op_, &node->attrs_)));
      if (node->op_->name() == "Placeholder" && producer_ <= kLastProducerOfUnknownScalars) {
        AttrValue& shape = node->attrs_["shape"];
        if (const auto* value = shape.get<ShapeValue>(); value != nullptr && value->shape.rank() == 0) {
          shape = Shape::UnknownRank();
        }
      }
      MR_RETURN_IF_ERROR(Blame(i, ArgumentTypes(signature, node->attrs_, &node->input_types_, &node->output_types_)));
      made_[i] = node.get();
      nodes_.push_back(std::move(node));
    }
    return OkStatus();
  }

  Status ConnectInput(size_t i, size_t k, const Source& source, Node* node) {
    Node* from = source.def < 0 ? source.existing : made_[static_cast<size_t>(source.def)];
    const std::string& text = defs_[i]->inputs[k];
    if (source.index < 0) {
      node->control_inputs_.push_back(from);
      return OkStatus();
    }
    if (source.index >= from->num_outputs()) {
      return Invalid(i, Cat("input '", text, "': expected an output of '", from->name(), "' (", from->op().name(),
                            "), which has ", from->num_outputs(), ", found number ", source.index));
    }
    if (k >= node->input_types_.size()) return OkStatus();  // the number is checked when all are there
    const DType expected = node->input_types_[k];
    const DType found = from->output_types()[static_cast<size_t>(source.index)];
    if (found != expected && BaseType(found) == expected) {
      // A reference is read where a plain tensor is wanted.
    } else if (found != expected) {
      return Invalid(i,
                     Cat("input ", k, " ('", text, "'): expected ", DTypeName(expected), ", found ", DTypeName(found)));
    }
    node->inputs_.push_back({from, source.index});
    return OkStatus();
  }

  Status Connect() {
    for (size_t k = 0; k < order_.size(); ++k) {
      MR_RETURN_IF_ERROR(CheckCancelled(k, "inferring shapes"));
      const size_t i = order_[k];
      Node* node = made_[i];
      size_t data = 0;
      for (size_t s = first_input_[i]; s < first_input_[i + 1]; ++s) {
        if (sources_[s].index >= 0) ++data;
        MR_RETURN_IF_ERROR(ConnectInput(i, s - first_input_[i], sources_[s], node));
      }
      if (data != node->input_types_.size()) {
        return Invalid(i, Cat("expected ", node->input_types_.size(), " inputs, found ", data));
      }
      MR_RETURN_IF_ERROR(graph_.Infer(node));
    }
    return OkStatus();
  }

  void Commit() {
    // One by one, the vector grows by itself.
    if (nodes_.size() > 1) graph_.nodes_.reserve(graph_.nodes_.size() + nodes_.size());
    for (auto& node : nodes_) {
      node->id_ = static_cast<int>(graph_.nodes_.size());
      for (const Endpoint& e : node->inputs_) e.node->users_.push_back(node.get());
      graph_.by_name_.emplace(node->name_, node.get());
      graph_.nodes_.push_back(std::move(node));
    }
  }

  Graph& graph_;
  const ImportOptions& options_;
  int32_t producer_ = 0;
  // All by the number of the node in the file but for nodes_, which is in order.
  std::vector<const NodeDef*> defs_;
  std::vector<const FunctionDef*> new_functions_;
  std::unordered_map<std::string_view, int32_t> index_;
  std::vector<const Op*> ops_;
  std::vector<Source> sources_;
  std::vector<size_t> first_input_;  // of sources_, one more than nodes
  std::vector<size_t> order_;
  std::vector<Node*> made_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

Status Graph::Import(const GraphDef& def, const ImportOptions& options) { return Importer(this, options).Import(def); }

Result<Node*> Graph::AddNode(const NodeDef& def) {
  const ImportOptions options;
  return Importer(this, options).Add(def);
}

}  // namespace millrace
