// Expander: calls of library functions as the nodes of their bodies, on
// definitions. Private to this folder; see function.h for live graphs.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/graph_def.h"

namespace millrace {

// A function as a node calls it.
struct FunctionCall {
  const FunctionDef* function = nullptr;  // null: the node is no call
  AttrMap attrs;                          // what the signature's attributes are bound to
};

class Expander {
 public:
  struct Limits {
    int depth = 64;
    size_t nodes = size_t{1} << 20;
  };
  struct Services {
    const Registry* registry = nullptr;
    // Null where there is none.
    std::function<const FunctionDef*(std::string_view)> find;
    std::function<std::string(std::string_view)> unique_name;
  };
  // What a call's users see: a tensor for each result, and what has run when the
  // call is done.
  struct Results {
    std::vector<std::string> outputs;  // "node:k", or what came in
    std::vector<DType> output_types;
    std::vector<std::string> controls;  // "^node"
  };

  Expander(Services services, Limits limits) : services_(std::move(services)), limits_(limits) {}

  // What `node` calls: op PartitionedCall or StatefulPartitionedCall, or a
  // function's name as op. NotFound for a function that is not there.
  Result<FunctionCall> CallOf(const NodeDef& node) const;

  // Adds the body's nodes to nodes(), under the scope `scope`. Tensors in
  // `inputs`, control inputs "^node" in `controls`. An error names the node of
  // the body by its full name.
  Result<Results> Expand(const FunctionCall& call, const std::string& scope, const std::string& device,
                         const std::vector<std::string>& inputs, const std::vector<std::string>& controls);

  const std::deque<NodeDef>& nodes() const { return nodes_; }

 private:
  struct Body;
  Result<Results> ExpandAt(int depth, const FunctionCall& call, const std::string& scope, const std::string& device,
                           const std::vector<std::string>& inputs, const std::vector<std::string>& controls);
  Status Spend(const std::string& scope, size_t work);

  Services services_;
  Limits limits_;
  size_t spent_ = 0;
  std::deque<NodeDef> nodes_;
};

// The attributes of a function that a caller bound, with the signature's
// defaults; dtypes of its arguments and results.
Status BindAttrs(const FunctionDef& function, AttrMap* attrs, std::vector<DType>* inputs, std::vector<DType>* outputs);

}  // namespace millrace
