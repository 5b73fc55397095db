// What nodes say of where they want to run, on its way into the IR.
#pragma once

#include "millrace/compiler/dialect/Devices.h"
#include "millrace/ops/graph/graph.h"
#include <string>
#include <unordered_map>

namespace millrace::compiler {

class Asks {
public:
  Asks(CompileState &state, const Graph &graph) : state(state), graph(graph) {}

  // Reads the node's device and colocation. InvalidArgument, blamed on the node,
  // for a device that is no name and, where placement is not soft, for one that
  // is not there. Puts them on `op` where there are devices to choose from, and
  // into the state.
  Status add(const Node &node, mlir::Operation *op);

private:
  Result<const DeviceName *> read(const Node &node);
  // The node's device; what it leaves open is that of the nodes it wants to be
  // with. A variable that leaves it open is where the first of the graph's nodes
  // wants to be that touches it, in this signature or not, so that all
  // signatures agree on the variable.
  Result<DeviceName> wanted(const Node &node);
  Result<DeviceName> own(const Node &node, int depth);

  CompileState &state;
  const Graph &graph;
  std::unordered_map<std::string, DeviceName> names; // by their text
};

} // namespace millrace::compiler
