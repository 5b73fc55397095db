// Freeze: a graph whose variables have become constants.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "millrace/devices/api/tensor.h"
#include "millrace/ops/graph/graph.h"

namespace millrace {

struct FreezeOptions {
  // Tensors that the frozen graph is for: "y:0". All that they need is kept,
  // nothing else.
  std::vector<std::string> fetches;
  // Tensors that will be fed: what only they need goes. A node of another op than
  // Placeholder must have one output; a Placeholder takes its name.
  std::vector<std::string> feeds;
};

// The variables that `options` needs, by reference or by resource handle, in the
// order of the graph: those that Freeze wants values for. NotFound for a fetch or
// a feed that is not there.
Result<std::vector<const Node*>> NeededVariables(const Graph& graph, const FreezeOptions& options);

// The part of `graph` that the fetches need, each variable a Const with the value
// that `values` has under the variable's name (bfloat16 may come as its bits,
// uint16), and nodes that read variables nodes that read the constants. Names stay.
// The value's memory is shared. Thread-safe on a graph that nobody changes.
//
// FailedPrecondition for a variable without a value; InvalidArgument for a value of
// another dtype or shape, and for a node that the fetches need and that changes a
// variable, which it names.
Result<GraphDef> Freeze(const Graph& graph, const FreezeOptions& options, const std::map<std::string, Tensor>& values);

}  // namespace millrace
