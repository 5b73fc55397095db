// Graph: the live graph. Mutable, free of MLIR; every node is checked and its
// shapes are inferred when it arrives.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "millrace/ops/registry/dim.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/graph_def.h"

namespace millrace {

class Node;

// Output `index` of a node. Nodes live as long as their graph.
struct Endpoint {
  Node* node = nullptr;
  int index = 0;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

class Node {
 public:
  const std::string& name() const { return name_; }
  const Op& op() const { return *op_; }
  const std::string& device() const { return device_; }
  const AttrMap& attrs() const { return attrs_; }  // defaults filled in
  // Position in the order of arrival.
  int id() const { return id_; }

  const std::vector<Endpoint>& inputs() const { return inputs_; }
  const std::vector<Node*>& control_inputs() const { return control_inputs_; }
  const std::vector<DType>& input_types() const { return input_types_; }
  const std::vector<DType>& output_types() const { return output_types_; }
  int num_outputs() const { return static_cast<int>(output_types_.size()); }
  // What inference knows of output i: shape, integer elements, handle data.
  const InferenceContext::Output& output(int i) const { return outputs_[static_cast<size_t>(i)]; }
  // Users of any output, in order of arrival; one entry for every data edge.
  const std::vector<Node*>& users() const { return users_; }
  // Nodes that have this one as a control input, in order of arrival.
  const std::vector<Node*>& control_users() const { return control_users_; }
  // The contents, where the node is a small constant (or an Identity of one);
  // null otherwise. For shape functions; the full value is in the attribute.
  const Tensor* constant() const { return constant_.valid() ? &constant_ : nullptr; }
  // As Graph::ToGraphDef has it.
  NodeDef ToNodeDef() const;

 private:
  friend class Graph;
  std::string name_, device_;
  const Op* op_ = nullptr;
  AttrMap attrs_;
  int id_ = 0;
  std::vector<Endpoint> inputs_;
  std::vector<Node*> control_inputs_;
  std::vector<DType> input_types_, output_types_;
  std::vector<InferenceContext::Output> outputs_;
  std::vector<Node*> users_, control_users_;
  std::string unread_fields_;
  Tensor constant_;
};

// What AddNode makes a node of. Attributes that have defaults may be left out.
struct NodeSpec {
  std::string name;
  std::string op;
  std::vector<Endpoint> inputs;
  std::vector<Node*> control_inputs;
  AttrMap attrs;
  std::string device;
};

struct ImportOptions {
  // "prefix" puts every name under "prefix/".
  std::string prefix;
  // Checked now and then; true stops the import with Cancelled.
  std::function<bool()> cancelled;
  uint64_t max_tensor_bytes = uint64_t{1} << 40;

  // What nodes of the import read, by node name and output of the file (-1: as a
  // control input), comes from these nodes of the graph instead (index -1 too).
  std::map<std::pair<std::string, int>, Endpoint> input_map;
  // Nodes whose inputs are none of this import run after these.
  std::vector<Node*> control_dependencies;
  // A name that a node of the graph has becomes "name_1" and so on; else it is an
  // error. The prefix likewise, as a whole.
  bool uniquify_names = false;
  bool uniquify_prefix = false;
  // For nodes that name none.
  std::string default_device;
};

struct ImportResults {
  // For each node of the GraphDef, in its order. Of a call that was expanded: the
  // node that hands on its results.
  std::vector<Node*> nodes;
  // Keys of input_map that name no output of the GraphDef.
  std::vector<std::pair<std::string, int>> missing_inputs;
};

// Not thread-safe; reading a graph that nobody changes is.
class Graph {
 public:
  explicit Graph(const Registry& registry = Registry::BuiltIn());
  ~Graph();
  Graph(const Graph&) = delete;

  // Adds all nodes of `def`, in any order (loops of v1 control flow included),
  // or none: unknown ops are all named at once (NotFound); dangling, duplicate
  // and cyclic references, attributes of the wrong kind, dtypes and shapes that
  // do not fit name the node (InvalidArgument). Linear in the size of the graph.
  // The version of the first import that has one becomes the graph's.
  Status Import(const GraphDef& def, const ImportOptions& options = {}, ImportResults* results = nullptr);

  // Adds one node whose inputs are there. `def.inputs` name them.
  Result<Node*> AddNode(const NodeDef& def);
  // The same with inputs that are nodes of this graph. The name must be free.
  Result<Node*> AddNode(NodeSpec spec);
  // `base` if no node has that name, else the first free one of "base_1",
  // "base_2" ... (upper and lower case count as the same, as in the original).
  // A name is given once, also where no node is made of it, and so are the names
  // of the scopes around it: after "a/b", "a" is taken.
  std::string UniqueName(std::string_view base);

  // Changes where input `index` of `node` comes from (the back edge of a loop,
  // for one) and infers again what follows. InvalidArgument where the dtypes
  // differ, shapes do not fit, or a cycle would be there that is no loop through
  // NextIteration; the graph is then as before. Linear in what follows the node;
  // where `from` arrived after it, also in what `from` is made of.
  Status ReplaceInput(Node* node, int index, Endpoint from);
  // `node` runs after `before`. InvalidArgument where that makes a cycle. Cheap
  // where `before` arrived first, else linear in what `before` is made of.
  Status AddControlInput(Node* node, Node* before);
  // "/device:CPU:0"; "" for anywhere. Names are read when a signature is compiled.
  Status SetDevice(Node* node, std::string device);
  // Adds to the library. AlreadyExists for another body under a name that is there.
  Status AddFunction(FunctionDef function);
  // Null where there is none; valid until functions are added.
  const FunctionDef* FindFunction(std::string_view name) const;
  // For whoever lends a part of another graph to this one: takes `shape` for the
  // output's where inference says less of it; its users come later.
  void AssumeShape(Endpoint output, const SymShape& shape);

  // In order of arrival; an input comes before its users but for the back edges
  // of loops and what ReplaceInput and AddControlInput turned round.
  const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  Node* Find(std::string_view name) const;
  // "name", "name:k" or "^name"(index -1). NotFound names what is missing and,
  // for a bad index, how many outputs there are.
  Result<Endpoint> FindEndpoint(std::string_view tensor) const;
  const Registry& registry() const { return registry_; }
  const FunctionLibrary& library() const { return library_; }
  const VersionDef& versions() const { return versions_; }
  DimTable& dims() { return dims_; }
  const DimTable& dims() const { return dims_; }

  GraphDef ToGraphDef() const;

  // What the builder keeps with the graph, as long as that lives: its scopes and
  // their status. Null until a scope is made.
  std::shared_ptr<void>& attachment() { return attachment_; }

 private:
  class Importer;
  class NodeMaker;
  class Reinference;
  // Where back edges are not known, what comes by them is taken for anything.
  Status Infer(Node* node, bool know_back_edges = true);
  // An error for nodes of another graph.
  Status CheckOwn(const Node* node, std::string_view what) const;
  // Whether `node` is made of `on` or waits for it, not counting back edges.
  bool DependsOn(const Node* node, const Node* on) const;

  const Registry& registry_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::unordered_map<std::string_view, Node*> by_name_;
  FunctionLibrary library_;
  std::map<std::string, size_t, std::less<>> functions_;  // of library_, by name
  VersionDef versions_;
  DimTable dims_;
  // Names that are taken, in lower case, with the number to try next; those of
  // the first `named_` nodes are in.
  std::unordered_map<std::string, int> taken_;
  size_t named_ = 0;
  // Every edge but the back edges of loops leads to a later node.
  bool ordered_ = true;
  std::shared_ptr<void> attachment_;
};

}  // namespace millrace
