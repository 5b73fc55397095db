// From GraphDef files to values and to live graphs, in one call.
#pragma once

#include <memory>
#include <string>

#include "millrace/ops/graph/graph.h"
#include "millrace/proto/value/limits.h"

namespace millrace {

// Reads a serialized GraphDef (binary wire form); weights stay in the mapped
// file. Errors name the file. Thread-safe.
Result<GraphDef> ReadGraphDef(const std::string& path, const Limits& limits = {});

// The same, imported. The file is mapped: weights stay in it, and it may be
// deleted but not overwritten while the graph or a plan made of it is in use.
// The registry outlives the graph. Errors name the file, and the node where one
// is to blame. Of tensors the lower of the two limits counts. Thread-safe.
Result<std::shared_ptr<const Graph>> LoadGraph(const std::string& path, const ImportOptions& options = {},
                                               const Registry& registry = Registry::BuiltIn(),
                                               const Limits& limits = {});

}  // namespace millrace
