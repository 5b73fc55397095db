// A million nodes: linear time, and an import that can be cancelled.
#include <ctime>

#include "millrace/ops/graph/graph.h"
#include "millrace/tests/ops/graph_builder.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

// A chain with a control edge back to the second node from each, users first.
GraphDef Chain(int count) {
  std::vector<NodeDef> nodes;
  nodes.reserve(static_cast<size_t>(count));
  for (int i = count - 1; i > 0; --i) {
    nodes.push_back(
        MakeNode("node" + std::to_string(i), "Identity", {"node" + std::to_string(i - 1)}, {{"T", DType::kFloat}}));
    if (i > 1) nodes.back().inputs.push_back("^node1");
  }
  nodes.push_back(MakePlaceholder("node0", DType::kFloat, {-1, 8}));
  return MakeGraph(std::move(nodes));
}

// Of the process: what else the machine does is not counted.
double CpuSeconds(int count) {
  const GraphDef def = Chain(count);
  Graph graph;
  const std::clock_t start = std::clock();
  const Status s = graph.Import(def);
  const std::clock_t end = std::clock();
  INFO(s.ToString());
  CHECK(s.ok());
  CHECK(graph.nodes().size() == static_cast<size_t>(count));
  CHECK(graph.dims().ToString(graph.nodes().back()->output(0).shape) == "[node0.0, 8]");
  return static_cast<double>(end - start) / CLOCKS_PER_SEC;
}

TEST_CASE("a million nodes are imported in linear time") {
  const double quarter = CpuSeconds(250000), whole = CpuSeconds(1000000);
  std::printf("import of a million nodes: %.2f s, of a quarter of them: %.2f s\n", whole, quarter);
  // Four times the nodes; a quadratic import would take sixteen times as long.
  CHECK(whole < 9 * quarter);
}

TEST_CASE("an import is cancelled in every phase and leaves the graph as it was") {
  const GraphDef def = Chain(4000);
  int checks = 0;
  ImportOptions options;
  options.cancelled = [&] {
    ++checks;
    return false;
  };
  {
    Graph graph;
    MR_REQUIRE_OK(graph.Import(def, options));
  }
  const int all = checks;
  REQUIRE(all >= 12);
  for (int stop = 1; stop <= all; ++stop) {
    checks = 0;
    options.cancelled = [&] { return ++checks == stop; };
    Graph graph;
    CHECK(graph.Import(def, options).code() == Code::kCancelled);
    CHECK(graph.nodes().empty());
    options.cancelled = nullptr;
    CHECK(graph.Import(def, options).ok());
  }
}

}  // namespace
}  // namespace millrace
