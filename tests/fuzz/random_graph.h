// Graphs that are valid, or nearly: each input is a list of decisions, by which
// nodes are picked from the registry, with inputs of the right dtype mostly and
// attributes that are allowed mostly.
#pragma once

#include <cstdint>
#include <memory>

#include "millrace/ops/graph/graph.h"

namespace millrace::fuzz {

// At most 40 nodes, and those of their gradients. The placeholders "feed0" (float)
// and "feed1" (int32) have the shape [?, 3].
std::shared_ptr<Graph> MakeGraph(const uint8_t* data, size_t size);

}  // namespace millrace::fuzz
