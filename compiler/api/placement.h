// Where a graph's nodes would run, and why. No MLIR type shows.
#pragma once

#include <string>
#include <vector>

#include "millrace/compiler/api/compile.h"

namespace millrace {

struct NodePlacement {
  std::string signature; // SignatureSpec::name
  std::string node, op;  // op: "Read" of a variable whose value a node uses
  std::string device;    // "CPU:1"; "" for a constant, which has no place
  // What the node asked for, as it was read ("/device:GPU:0"); "" for nothing.
  std::string asked;
  // "asked for '/device:CPU:1'", "variable 'v' is there", "default: ..."
  std::string why;
};

// One entry for each operation that there is behind the phase `place`, in order:
// nodes that were folded, merged or dropped have none, copies between devices are
// not nodes. Fails where Compile would fail up to that phase.
Result<std::vector<NodePlacement>> ExplainPlacement(const Graph &graph,
                                                    const std::vector<SignatureSpec> &signatures,
                                                    const CompileOptions &options = {});

} // namespace millrace
