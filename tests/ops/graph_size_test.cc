// A million nodes: linear time, and an import that can be cancelled.
#include "millrace/ops/graph/graph.h"
#include "millrace/tests/growth.h"
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

void Import(const GraphDef& def) {
  Graph graph;
  const Status s = graph.Import(def);
  INFO(s.ToString());
  CHECK(s.ok());
  CHECK(graph.nodes().size() == def.nodes.size());
  CHECK(graph.dims().ToString(graph.nodes().back()->output(0).shape) == "[node0.0, 8]");
}

TEST_CASE("a million nodes are imported in linear time") {
  const GraphDef quarter = Chain(250000), whole = Chain(1000000);
  CHECK(GrowthOfTime(250000, [&](int n) { Import(n == 250000 ? quarter : whole); }) < 9);
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
