// Names of nodes that the command line gives, against the graph.
#pragma once

#include <string>
#include <vector>

#include "millrace/compiler/api/compile.h"
#include "millrace/ops/graph/graph.h"
#include "millrace/proto/value/status.h"

namespace millrace::graphc {

// The name of a node that is most like `wanted`; "" where none is near.
std::string NearestName(const Graph& graph, std::string_view wanted);

// NotFound where one of `names`, of nodes or tensors, has no node in `graph`; it names
// the file, the option that gave it, and the nearest name.
Status CheckNames(const std::string& path, const Graph& graph, const char* option,
                  const std::vector<std::string>& names);
// The same for all that the entry points name.
Status CheckNames(const std::string& path, const Graph& graph, const std::vector<SignatureSpec>& signatures);

}  // namespace millrace::graphc
