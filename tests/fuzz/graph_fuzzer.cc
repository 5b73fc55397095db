// Any bytes as decisions that make a graph.
#include <cstdlib>

#include "millrace/tests/fuzz/random_graph.h"
#include "millrace/tests/fuzz/try_graph.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace;  // NOLINT
  const std::shared_ptr<Graph> graph = fuzz::MakeGraph(data, size);
  // What was accepted is accepted again.
  Graph again;
  if (!again.Import(graph->ToGraphDef()).ok()) std::abort();
  fuzz::TryGraph(graph);
  return 0;
}
