// A graph for others: nothing is left to this project's compiler.
#pragma once

#include <memory>

#include "millrace/ops/graph/graph.h"

namespace millrace {

// The graph with every DeferredGradients expanded to the standard nodes that
// compute it; the deferred node becomes an IdentityN of them, so that what it is
// called by still works. `graph` gets the new nodes and is not to be run any more.
// Errors as Gradients'.
Result<GraphDef> ExportGraphDef(const std::shared_ptr<Graph>& graph);

}  // namespace millrace
