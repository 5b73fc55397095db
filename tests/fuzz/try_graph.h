// What must hold of any graph that was accepted.
#pragma once

#include <memory>

#include "millrace/ops/graph/graph.h"

namespace millrace::fuzz {

// Compiles the graph and runs it, with small feeds for its placeholders, 64 MiB and
// half a second. Aborts where what runs without the optional passes does not give
// the same bits with them. Leaves alone what reaches out of the process.
void TryGraph(const std::shared_ptr<Graph>& graph);

}  // namespace millrace::fuzz
