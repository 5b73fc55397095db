// Import: names are resolved, nodes are put in order, checked and inferred; only
// then does the graph change.
#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "millrace/ops/graph/colocation.h"
#include "millrace/ops/graph/expand.h"
#include "millrace/ops/graph/names.h"
#include "millrace/ops/graph/node_maker.h"
#include "millrace/ops/graph/tensor_name.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

constexpr size_t kNodesBetweenChecks = 1024;
constexpr size_t kNamesInMessages = 5;
std::string Abbreviated(const std::vector<std::string_view>& names) {
  std::vector<std::string_view> shown(names.begin(),
                                      names.begin() + static_cast<ptrdiff_t>(std::min(names.size(), kNamesInMessages)));
  std::string out = Cat("'", Join(shown, "', '"), "'");
  if (names.size() > shown.size()) out += Cat(" and ", names.size() - shown.size(), " more");
  return out;
}

}  // namespace

class Graph::Importer {
 public:
  Importer(Graph* graph, const ImportOptions& options) : graph_(*graph), options_(options), prefix_(options.prefix) {}

  Status Import(const GraphDef& def, ImportResults* results) {
    producer_ = def.versions.producer;
    MR_RETURN_IF_ERROR(CheckOptions());
    defs_.reserve(def.nodes.size());
    for (const NodeDef& node : def.nodes) defs_.push_back(&node);
    MR_RETURN_IF_ERROR(CheckLibrary(def.library));
    MR_RETURN_IF_ERROR(ExpandCalls());
    MR_RETURN_IF_ERROR(IndexNames());
    MR_RETURN_IF_ERROR(FindOps());
    MR_RETURN_IF_ERROR(ResolveInputs());
    MR_RETURN_IF_ERROR(Order());
    const NodeMaker maker(&graph_, producer_, options_.max_tensor_bytes);
    MR_RETURN_IF_ERROR(MakeNodes(maker));
    MR_RETURN_IF_ERROR(Connect(maker));
    Commit(maker);
    for (const FunctionDef* function : new_functions_) {
      graph_.functions_.emplace(function->signature.name, graph_.library_.functions.size());
      graph_.library_.functions.push_back(*function);
    }
    graph_.library_.gradients.insert(graph_.library_.gradients.end(), def.library.gradients.begin(),
                                     def.library.gradients.end());
    graph_.library_.unread_fields += def.library.unread_fields;
    if (graph_.nodes_.size() == defs_.size()) graph_.versions_ = def.versions;
    if (results != nullptr) {
      // Nodes of expanded calls come after those of the file.
      results->nodes.assign(made_.begin(), made_.begin() + static_cast<ptrdiff_t>(def.nodes.size()));
      results->missing_inputs = MissingInputs();
    }
    return OkStatus();
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
    if (const auto it = renamed_.find(def); it != renamed_.end()) return it->second;
    return prefix_.empty() ? defs_[def]->name : Cat(prefix_, "/", defs_[def]->name);
  }
  Status CheckCancelled(size_t i, std::string_view what) const {
    if (i % kNodesBetweenChecks != 0 || !options_.cancelled || !options_.cancelled()) return OkStatus();
    return Cancelled(Cat("import was cancelled while ", what, ", at node ", i, " of ", defs_.size()));
  }

  Status CheckOptions() {
    for (const auto& [from, to] : options_.input_map) {
      const std::string what = Cat("input mapping of '", from.first, ":", from.second, "'");
      MR_RETURN_IF_ERROR(graph_.CheckOwn(to.node, what));
      if ((from.second < 0) != (to.index < 0) || to.index >= to.node->num_outputs()) {
        return InvalidArgument(Cat(what, ": expected ", from.second < 0 ? "a control input" : "an output of ", "'",
                                   to.node->name(), "', found number ", to.index));
      }
    }
    for (const Node* before : options_.control_dependencies) {
      MR_RETURN_IF_ERROR(graph_.CheckOwn(before, "control dependency"));
    }
    if (options_.uniquify_prefix && !prefix_.empty()) prefix_ = graph_.UniqueName(prefix_);
    return OkStatus();
  }

  std::vector<std::pair<std::string, int>> MissingInputs() const {
    std::vector<std::pair<std::string, int>> missing;
    for (const auto& [from, to] : options_.input_map) {
      const auto it = index_.find(from.first);
      if (it != index_.end() && from.second < made_[static_cast<size_t>(it->second)]->num_outputs()) continue;
      if (!mapped_.contains(from)) missing.push_back(from);
    }
    return missing;
  }

  Status CheckLibrary(const FunctionLibrary& library) {
    std::map<std::string_view, const FunctionDef*> fresh;
    for (const FunctionDef& f : library.functions) {
      const FunctionDef* known = graph_.FindFunction(f.signature.name);
      if (known == nullptr) {
        const auto [it, first] = fresh.try_emplace(f.signature.name, &f);
        if (first) new_functions_.push_back(&f);
        known = it->second;
      }
      if (known != &f && !(*known == f)) {
        return InvalidArgument(Cat("function '", f.signature.name, "' is there twice, with two bodies"));
      }
    }
    functions_ = std::move(fresh);
    return OkStatus();
  }

  const FunctionDef* FindFunction(std::string_view name) const {
    const auto it = functions_.find(name);
    return it != functions_.end() ? it->second : graph_.FindFunction(name);
  }

  // Calls of functions become the nodes of their bodies, and a node that has the
  // name of the call and hands on the results.
  Status ExpandCalls() {
    if (functions_.empty() && graph_.functions_.empty()) return OkStatus();
    TakenNames taken;
    const auto unique = [&](std::string_view base) {
      if (taken.empty()) {
        for (const NodeDef* def : defs_) TakeName(&taken, def->name);
        if (prefix_.empty()) {
          for (const auto& node : graph_.nodes_) TakeName(&taken, node->name());
        }
      }
      return UniqueNameAmong(&taken, base);
    };
    expander_ = std::make_unique<Expander>(
        Expander::Services{&graph_.registry_, [this](std::string_view name) { return FindFunction(name); }, unique},
        Expander::Limits());
    const size_t count = defs_.size();
    for (size_t i = 0; i < count; ++i) {
      MR_RETURN_IF_ERROR(CheckCancelled(i, "expanding calls"));
      const NodeDef& def = *defs_[i];
      MR_ASSIGN_OR_RETURN(const FunctionCall call, expander_->CallOf(def));
      if (call.function == nullptr) continue;
      std::vector<std::string> inputs, controls;
      for (const std::string& input : def.inputs) (input.starts_with('^') ? controls : inputs).push_back(input);
      MR_ASSIGN_OR_RETURN(Expander::Results results, expander_->Expand(call, def.name, def.device, inputs, controls));
      NodeDef& handed = handed_.emplace_back();
      handed.name = def.name;
      handed.device = def.device;
      handed.inputs = std::move(results.outputs);
      handed.inputs.insert(handed.inputs.end(), results.controls.begin(), results.controls.end());
      if (results.output_types.size() == 1) {
        handed.op = "Identity";
        handed.attrs["T"] = BaseType(results.output_types[0]);
      } else if (!results.output_types.empty()) {
        handed.op = "IdentityN";
        ListValue types;
        for (DType t : results.output_types) types.type.push_back(BaseType(t));
        handed.attrs["T"] = std::move(types);
      } else {
        handed.op = "NoOp";
        handed.inputs.insert(handed.inputs.end(), controls.begin(), controls.end());
      }
      defs_[i] = &handed;
    }
    for (const NodeDef& def : expander_->nodes()) defs_.push_back(&def);
    return OkStatus();
  }

  Status IndexNames() {
    index_.reserve(defs_.size());
    std::vector<size_t> clashing;
    for (size_t i = 0; i < defs_.size(); ++i) {
      MR_RETURN_IF_ERROR(CheckCancelled(i, "reading names"));
      const std::string& name = defs_[i]->name;
      if (name.empty()) return Invalid(i, Cat("expected a name, found none for node number ", i));
      MR_RETURN_IF_ERROR(Blame(i, NodeMaker::CheckName(name)));
      const auto [it, fresh] = index_.try_emplace(name, static_cast<int32_t>(i));
      if (!fresh) {
        return Invalid(i, Cat("expected a name of its own, found it twice: nodes number ", it->second, " and ", i));
      }
      if (graph_.by_name_.count(NameOf(i)) == 0) continue;
      if (!options_.uniquify_names) {
        return Invalid(i, "expected a name of its own, found a node of that name in the graph");
      }
      clashing.push_back(i);
    }
    for (size_t i : clashing) {
      // Neither a node of the graph nor one of this import may have the new name.
      const std::string wanted = NameOf(i);
      const size_t cut = prefix_.empty() ? 0 : prefix_.size() + 1;
      do {
        renamed_[i] = graph_.UniqueName(wanted);
      } while (index_.contains(std::string_view(renamed_[i]).substr(cut)));
    }
    return OkStatus();
  }

  Status FindOps() {
    ops_.resize(defs_.size());
    std::map<std::string_view, std::vector<std::string_view>> unknown;
    for (size_t i = 0; i < defs_.size(); ++i) {
      MR_RETURN_IF_ERROR(CheckCancelled(i, "looking up ops"));
      ops_[i] = graph_.registry_.Find(defs_[i]->op);
      if (ops_[i] == nullptr) unknown[defs_[i]->op].push_back(defs_[i]->name);
    }
    if (unknown.empty()) return OkStatus();
    std::string ops;
    for (const auto& [op, nodes] : unknown) {
      if (!ops.empty()) ops += "; ";
      ops += Cat(op, " (", nodes.size() == 1 ? "node " : "nodes ", Abbreviated(nodes), ")");
    }
    const auto& [first_op, first_nodes] = *unknown.begin();
    return Status(Code::kNotFound, "expected ops of the registry, found unknown ones: " + ops,
                  std::string(first_nodes[0]), std::string(first_op));
  }

  const Endpoint* Mapped(const TensorName& name) {
    if (options_.input_map.empty()) return nullptr;
    const auto it = options_.input_map.find({std::string(name.node), name.index});
    if (it == options_.input_map.end()) return nullptr;
    mapped_.insert(it->first);
    return &it->second;
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
        if (const Endpoint* mapped = Mapped(name); mapped != nullptr) {
          source.existing = mapped->node;
          source.index = mapped->index;
        } else if (it != index_.end()) {
          source.def = it->second;
        } else if (prefix_.empty()) {
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
        if (state[from] == kDone || (source.index >= 0 && IsBackEdge(*ops_[from], *ops_[top.def]))) continue;
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

  const Op* Repaired(size_t def) const {
    if (first_input_[def] == first_input_[def + 1]) return ops_[def];
    const Source& source = sources_[first_input_[def]];
    return source.index < 0 ? ops_[def] : &WithoutReferences(graph_.registry_, *ops_[def], TypeOf(source));
  }

  AttrMap AttrsOf(size_t def) const {
    AttrMap attrs = defs_[def]->attrs;
    if (prefix_.empty() && renamed_.empty()) return attrs;
    RenameGroups(&attrs, [&](std::string_view node) {
      if (const auto it = index_.find(node); it != index_.end()) return NameOf(static_cast<size_t>(it->second));
      return prefix_.empty() ? std::string() : Cat(prefix_, "/", node);
    });
    return attrs;
  }

  Status MakeNodes(const NodeMaker& maker) {
    made_.assign(defs_.size(), nullptr);
    nodes_.reserve(defs_.size());
    for (size_t k = 0; k < order_.size(); ++k) {
      MR_RETURN_IF_ERROR(CheckCancelled(k, "checking attributes"));
      const size_t i = order_[k];
      const NodeDef& def = *defs_[i];
      MR_ASSIGN_OR_RETURN(
          std::unique_ptr<Node> node,
          maker.Make(NameOf(i), *Repaired(i), def.device.empty() ? options_.default_device : def.device, AttrsOf(i)));
      node->unread_fields_ = def.unread_fields;
      made_[i] = node.get();
      nodes_.push_back(std::move(node));
    }
    return OkStatus();
  }

  Status Connect(const NodeMaker& maker) {
    for (size_t k = 0; k < order_.size(); ++k) {
      MR_RETURN_IF_ERROR(CheckCancelled(k, "inferring shapes"));
      const size_t i = order_[k];
      Node* node = made_[i];
      for (size_t s = first_input_[i]; s < first_input_[i + 1]; ++s) {
        const Source& source = sources_[s];
        Node* from = source.def < 0 ? source.existing : made_[static_cast<size_t>(source.def)];
        if (source.index < 0) {
          node->control_inputs_.push_back(from);
        } else {
          MR_RETURN_IF_ERROR(maker.AddInput(node, {from, source.index}, defs_[i]->inputs[s - first_input_[i]]));
        }
      }
      if (!options_.control_dependencies.empty() && !FollowsImported(i)) {
        for (Node* before : options_.control_dependencies) AddOnce(&node->control_inputs_, before);
      }
      MR_RETURN_IF_ERROR(maker.Finish(node));
    }
    return OkStatus();
  }

  // Whether a node of the import runs before it; the back edges of loops do not count.
  bool FollowsImported(size_t def) const {
    for (size_t s = first_input_[def]; s < first_input_[def + 1]; ++s) {
      const Source& source = sources_[s];
      if (source.def < 0) continue;
      if (source.index < 0 || !IsBackEdge(*ops_[static_cast<size_t>(source.def)], *ops_[def])) return true;
    }
    return false;
  }
  static void AddOnce(std::vector<Node*>* nodes, Node* node) {
    if (std::find(nodes->begin(), nodes->end(), node) == nodes->end()) nodes->push_back(node);
  }

  void Commit(const NodeMaker& maker) {
    // One by one, the vector grows by itself.
    if (nodes_.size() > 1) graph_.nodes_.reserve(graph_.nodes_.size() + nodes_.size());
    for (auto& node : nodes_) maker.Commit(std::move(node));
  }

  Graph& graph_;
  const ImportOptions& options_;
  std::string prefix_;
  std::unordered_map<size_t, std::string> renamed_;  // full names, by node
  std::set<std::pair<std::string, int>> mapped_;     // keys of the input map that were used
  int32_t producer_ = 0;
  // All by the number of the node in the file but for nodes_, which is in order.
  std::vector<const NodeDef*> defs_;
  std::vector<const FunctionDef*> new_functions_;
  std::map<std::string_view, const FunctionDef*> functions_;  // those by name
  std::unique_ptr<Expander> expander_;
  std::deque<NodeDef> handed_;
  std::unordered_map<std::string_view, int32_t> index_;
  std::vector<const Op*> ops_;
  std::vector<Source> sources_;
  std::vector<size_t> first_input_;  // of sources_, one more than nodes
  std::vector<size_t> order_;
  std::vector<Node*> made_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

Status Graph::Import(const GraphDef& def, const ImportOptions& options, ImportResults* results) {
  return Importer(this, options).Import(def, results);
}

}  // namespace millrace
