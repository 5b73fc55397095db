// What stands for a value that a run is given.
#pragma once

#include "millrace/ops/graph/graph.h"

namespace millrace {

// Without a value of its own, so that a run must feed it.
inline bool IsPlaceholder(const Node& node) {
  return node.op().name() == "Placeholder" || node.op().name() == "PlaceholderV2";
}

}  // namespace millrace
