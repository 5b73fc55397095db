// The gradient part of a recorded case: its graph with the nodes that Gradients
// adds.
#pragma once

#include <vector>

#include "millrace/proto/value/graph_def.h"
#include "millrace/proto/value/status.h"
#include "millrace/tests/end_to_end/case.h"
#include "millrace/tests/end_to_end/replay.h"

namespace millrace::end_to_end {

struct GradientCase {
  GraphDef graph;
  // Feeds of the case and those of its seeds.
  std::vector<std::pair<std::string, Tensor>> feeds;
  // The gradients that are there, dense, and the answers to them.
  std::vector<std::string> fetches;
  std::vector<NamedTensor> expected;
};

// `c.grad_xs` is not empty. With `deferred` the graph has the one node that the
// compiler expands. Errors: those of Gradients; Internal where a gradient is there
// that should not be, or the other way round (a deferred one is always there).
Result<GradientCase> BuildGradientCase(const Case& c, bool deferred);

}  // namespace millrace::end_to_end
