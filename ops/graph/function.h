// Functions of a graph's library, as nodes of the graph.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "millrace/ops/graph/graph.h"

namespace millrace {

// PartitionedCall and StatefulPartitionedCall, which call the function of their
// attribute "f". Graph::Import expands them, as it does nodes whose op is the name
// of a function.
bool IsCallOp(std::string_view op);

struct InlineOptions {
  // Nodes are called "<scope>/<name in the body>", made unique; "" is the name of
  // the function, made unique.
  std::string scope;
  // What touches state runs after these.
  std::vector<Node*> control_inputs;
  // For nodes of the body that name none.
  std::string device;
  // Calls in calls, and all nodes together: ResourceExhausted past them.
  int max_depth = 64;
  size_t max_nodes = size_t{1} << 20;
};

struct InlinedFunction {
  std::vector<Endpoint> outputs;       // one for each tensor of the results
  std::vector<Node*> control_outputs;  // what has run when a call would be done
};

// Adds the body of function `f.name` of the graph's library, instantiated with
// `f.attrs` (and the signature's defaults), to the graph. `inputs` are its
// arguments, one for each tensor; references are read where a plain tensor is
// wanted. Calls in the body, by op name or by PartitionedCall, are put in too, as
// are those of the functions that they call. All nodes are added, or none, but
// where a result is not of the dtype that the signature says.
//
// NotFound for functions and ops that are not there; InvalidArgument for
// arguments, attributes and bodies that do not fit, naming the node of the body
// by the name that it would have, and for recursion.
Result<InlinedFunction> InlineFunction(Graph* graph, const FuncValue& f, const std::vector<Endpoint>& inputs,
                                       const InlineOptions& options = {});

}  // namespace millrace
