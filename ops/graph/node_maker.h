// NodeMaker: what every node goes through on its way into a graph, be it read
// from a file or added one by one. Private to this folder.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "millrace/ops/graph/graph.h"

namespace millrace {

class Graph::NodeMaker {
 public:
  // Ops that are deprecated for graphs of `producer` are refused.
  NodeMaker(Graph* graph, int32_t producer, uint64_t max_tensor_bytes)
      : graph_(*graph), producer_(producer), max_tensor_bytes_(max_tensor_bytes) {}

  // A node without inputs: its attributes are complete and checked, and the
  // dtypes of its arguments are known.
  Result<std::unique_ptr<Node>> Make(std::string name, const Op& op, std::string device, AttrMap attrs) const;
  // The next data input; `text` is what the caller calls it.
  Status AddInput(Node* node, Endpoint from, std::string_view text) const;
  // When all inputs are there: counts them and infers the outputs.
  Status Finish(Node* node) const;
  // The node is the graph's from now on; nothing can fail any more.
  Node* Commit(std::unique_ptr<Node> node) const;

  // Whether a node may have the name; not whether it is free.
  static Status CheckName(std::string_view name);
  // Whether `from` is there and of a dtype that input `index` takes.
  static Status CheckInput(const Node& node, size_t index, Endpoint from, std::string_view text);

 private:
  Graph& graph_;
  const int32_t producer_;
  const uint64_t max_tensor_bytes_;
};

// An op on references that freezing left with a plain first input, of dtype
// `found`: the op without "Ref". Any other op: itself.
const Op& WithoutReferences(const Registry& registry, const Op& op, DType found);

// Edges that close the loops of v1 control flow: from NextIteration to Merge.
bool IsNextIteration(const Op& op);
bool IsMerge(const Op& op);
inline bool IsBackEdge(const Op& from, const Op& to) { return IsNextIteration(from) && IsMerge(to); }

}  // namespace millrace
