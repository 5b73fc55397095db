// What ImportOptions change: mappings, control dependencies, unique names, devices.
#include "millrace/ops/graph/graph.h"
#include "millrace/tests/ops/graph_builder.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

const AttrMap kFloat = {{"T", DType::kFloat}};

// a -> b -> c, and d that waits for a.
GraphDef Chain() {
  return MakeGraph({
      MakePlaceholder("a", DType::kFloat, {2}),
      MakeNode("b", "Identity", {"a"}, kFloat),
      MakeNode("c", "Identity", {"b"}, kFloat),
      MakeNode("d", "NoOp", {"^a"}),
  });
}

TEST_CASE("results have the node of each node of the file, in its order") {
  Graph graph;
  ImportResults results;
  MR_REQUIRE_OK(graph.Import(MakeGraph({MakeNode("b", "Identity", {"a"}, kFloat), Chain().nodes[0]}), {}, &results));
  REQUIRE(results.nodes.size() == 2);
  CHECK(results.nodes[0] == graph.Find("b"));
  CHECK(results.nodes[1] == graph.Find("a"));
  CHECK(results.missing_inputs.empty());
}

TEST_CASE("mapped inputs come from the graph, and unknown keys are reported") {
  Graph graph;
  MR_REQUIRE_OK(graph.Import(MakeGraph({MakePlaceholder("x", DType::kFloat, {5})})));
  Node* x = graph.Find("x");
  ImportOptions options;
  options.prefix = "in";
  options.input_map = {
      {{"a", 0}, {x, 0}}, {{"a", -1}, {x, -1}}, {{"b", 7}, {x, 0}}, {{"gone", 0}, {x, 0}}, {{"c", 0}, {x, 0}}};
  ImportResults results;
  MR_REQUIRE_OK(graph.Import(Chain(), options, &results));
  CHECK(graph.Find("in/b")->inputs()[0] == Endpoint{x, 0});
  CHECK(graph.dims().ToString(graph.Find("in/c")->output(0).shape) == "[5]");
  CHECK(graph.Find("in/d")->control_inputs() == std::vector<Node*>{x});
  CHECK(x->control_users() == std::vector<Node*>{graph.Find("in/d")});
  CHECK(graph.Find("in/a")->users().empty());
  CHECK(results.missing_inputs == std::vector<std::pair<std::string, int>>{{"b", 7}, {"gone", 0}});
}

TEST_CASE("mappings that do not fit are refused, and the graph stays") {
  Graph graph, other;
  MR_REQUIRE_OK(graph.Import(MakeGraph({MakePlaceholder("x", DType::kInt32, {5})})));
  MR_REQUIRE_OK(other.Import(MakeGraph({MakePlaceholder("x", DType::kFloat, {5})})));
  const auto refused = [&](Endpoint to, int index, std::string_view part) {
    ImportOptions options;
    options.prefix = "in";
    options.input_map = {{{"a", index}, to}};
    const Status s = graph.Import(Chain(), options);
    INFO(s.ToString());
    CHECK(s.code() == Code::kInvalidArgument);
    CHECK_THAT(s.ToString(), Catch::Matchers::Contains(std::string(part)));
    CHECK(graph.nodes().size() == 1);
  };
  refused({graph.Find("x"), 0}, 0, "expected float, found int32");
  refused({graph.Find("x"), 1}, 0, "found number 1");
  refused({graph.Find("x"), 0}, -1, "a control input");
  refused({other.Find("x"), 0}, 0, "node of this graph");
  refused({nullptr, 0}, 0, "found none");
}

TEST_CASE("control dependencies go to the nodes that follow none of the import") {
  Graph graph;
  MR_REQUIRE_OK(graph.Import(MakeGraph({MakeNode("first", "NoOp", {}), MakePlaceholder("x", DType::kFloat, {2})})));
  Node* first = graph.Find("first");
  ImportOptions options;
  options.control_dependencies = {first};
  options.input_map = {{{"b", 0}, {graph.Find("x"), 0}}};
  MR_REQUIRE_OK(graph.Import(Chain(), options));
  CHECK(graph.Find("a")->control_inputs() == std::vector<Node*>{first});
  CHECK(graph.Find("b")->control_inputs().empty());
  CHECK(graph.Find("c")->control_inputs() == std::vector<Node*>{first});  // its input is mapped
  CHECK(graph.Find("d")->control_inputs() == std::vector<Node*>{graph.Find("a")});
}

TEST_CASE("names that are taken are made unique, or the prefix is") {
  Graph graph;
  MR_REQUIRE_OK(graph.Import(Chain()));
  CHECK(graph.Import(Chain()).code() == Code::kInvalidArgument);
  ImportOptions options;
  options.uniquify_names = true;
  ImportResults results;
  GraphDef def = Chain();
  def.nodes.push_back(MakeNode("b_1", "Identity", {"c"}, kFloat));  // what "b" would become
  MR_REQUIRE_OK(graph.Import(def, options, &results));
  CHECK(results.nodes[0]->name() == "a_1");
  CHECK(results.nodes[1]->name() == "b_2");
  CHECK(results.nodes[1]->inputs()[0] == Endpoint{results.nodes[0], 0});
  CHECK(results.nodes[4]->name() == "b_1");

  options = {};
  options.prefix = "p";
  MR_REQUIRE_OK(graph.Import(Chain(), options));
  options.uniquify_prefix = true;
  MR_REQUIRE_OK(graph.Import(Chain(), options, &results));
  CHECK(results.nodes[2]->name() == "p_1/c");
}

TEST_CASE("the default device is for nodes that name none") {
  GraphDef def = Chain();
  def.nodes[1].device = "/device:CPU:0";
  ImportOptions options;
  options.default_device = "/device:GPU:1";
  Graph graph;
  MR_REQUIRE_OK(graph.Import(def, options));
  CHECK(graph.Find("a")->device() == "/device:GPU:1");
  CHECK(graph.Find("b")->device() == "/device:CPU:0");
}

}  // namespace
}  // namespace millrace
