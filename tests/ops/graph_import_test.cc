// Import: what it accepts, and how it names what it does not.
#include "millrace/ops/graph/graph.h"
#include "millrace/tests/ops/graph_builder.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

// An error whose text has all the parts, blamed on `node`; the graph stays empty.
void CheckRefused(const GraphDef& def, Code code, std::string_view node, const std::vector<std::string>& parts) {
  Graph graph;
  const Status s = graph.Import(def);
  INFO(s.ToString());
  CHECK(s.code() == code);
  CHECK(s.node() == node);
  for (const std::string& part : parts) CHECK_THAT(s.ToString(), Catch::Matchers::Contains(part));
  CHECK(graph.nodes().empty());
}

TEST_CASE("nodes come in any order and are put before their users") {
  Graph graph;
  MR_REQUIRE_OK(graph.Import(MakeGraph({
      MakeNode("c", "Identity", {"b", "^a"}, {{"T", DType::kFloat}}),
      MakeNode("b", "Identity", {"a:0"}, {{"T", DType::kFloat}}),
      MakePlaceholder("a", DType::kFloat, {-1, 3}),
  })));
  REQUIRE(graph.nodes().size() == 3);
  CHECK(graph.nodes()[0]->name() == "a");
  CHECK(graph.nodes()[1]->name() == "b");
  CHECK(graph.nodes()[2]->name() == "c");
  CHECK(graph.nodes()[2]->id() == 2);
  CHECK(graph.Find("c")->inputs()[0] == Endpoint{graph.Find("b"), 0});
  CHECK(graph.Find("c")->control_inputs() == std::vector<Node*>{graph.Find("a")});
  CHECK(graph.Find("a")->users() == std::vector<Node*>{graph.Find("b")});
  CHECK(graph.dims().ToString(graph.Find("c")->output(0).shape) == "[a.0, 3]");
}

TEST_CASE("unknown ops are all named at once, with their nodes") {
  std::vector<NodeDef> nodes = {MakeNode("x", "Nonesuch", {}), MakeNode("y", "Other", {"missing"})};
  for (int i = 0; i < 8; ++i) nodes.push_back(MakeNode("z" + std::to_string(i), "Nonesuch", {}));
  CheckRefused(MakeGraph(nodes), Code::kNotFound, "x", {"Nonesuch", "'x'", "'z3' and 4 more", "Other (node 'y')"});
}

TEST_CASE("the library comes along, and a function has one body") {
  GraphDef def = MakeGraph({});
  def.has_library = true;
  def.library.functions.emplace_back();
  def.library.functions[0].signature.name = "Body";
  Graph graph;
  MR_REQUIRE_OK(graph.Import(def));
  CHECK(graph.library().functions.size() == 1);
  CHECK(graph.ToGraphDef().library == def.library);
  MR_REQUIRE_OK(graph.Import(def));
  def.library.functions[0].signature.is_stateful = true;
  CHECK(graph.Import(def).code() == Code::kInvalidArgument);
}

TEST_CASE("names that are missing, bad or taken") {
  const NodeDef a = MakePlaceholder("a", DType::kFloat, {});
  CheckRefused(MakeGraph({a, a}), Code::kInvalidArgument, "a", {"twice", "0 and 1"});
  CheckRefused(MakeGraph({MakePlaceholder("", DType::kFloat, {})}), Code::kInvalidArgument, "", {"node number 0"});
  CheckRefused(MakeGraph({MakePlaceholder("a:1", DType::kFloat, {})}), Code::kInvalidArgument, "a:1", {"':'"});
  CheckRefused(MakeGraph({MakePlaceholder("^a", DType::kFloat, {})}), Code::kInvalidArgument, "^a", {"'^'"});
  Graph graph;
  MR_REQUIRE_OK(graph.Import(MakeGraph({a})));
  CHECK(graph.Import(MakeGraph({a})).code() == Code::kInvalidArgument);
  ImportOptions options;
  options.prefix = "more";
  MR_REQUIRE_OK(graph.Import(MakeGraph({a, MakeNode("b", "Identity", {"a"}, {{"T", DType::kFloat}})}), options));
  CHECK(graph.Find("more/b")->inputs()[0].node == graph.Find("more/a"));
}

TEST_CASE("inputs that dangle") {
  const NodeDef a = MakePlaceholder("a", DType::kFloat, {});
  const AttrMap t = {{"T", DType::kFloat}};
  CheckRefused(MakeGraph({a, MakeNode("b", "Identity", {"c:0"}, t)}), Code::kInvalidArgument, "b",
               {"'c:0'", "no node 'c'"});
  CheckRefused(MakeGraph({a, MakeNode("b", "NoOp", {"^c"})}), Code::kInvalidArgument, "b", {"'^c'"});
  CheckRefused(MakeGraph({a, MakeNode("b", "Identity", {"a:1"}, t)}), Code::kInvalidArgument, "b",
               {"'a:1'", "which has 1", "found number 1"});
  CheckRefused(MakeGraph({a, MakeNode("b", "Identity", {"a:99999999999"}, t)}), Code::kInvalidArgument, "b",
               {"a:99999999999"});
  CheckRefused(MakeGraph({a, MakeNode("b", "Identity", {""}, t)}), Code::kInvalidArgument, "b", {"no node ''"});
  CheckRefused(MakeGraph({a, MakeNode("b", "Identity", {}, t)}), Code::kInvalidArgument, "b",
               {"expected 1 inputs, found 0"});
  CheckRefused(MakeGraph({a, MakeNode("b", "Identity", {"a", "a"}, t)}), Code::kInvalidArgument, "b",
               {"expected 1 inputs, found 2"});
  CheckRefused(MakeGraph({a, MakeNode("b", "Identity", {"^a", "a"}, t)}), Code::kInvalidArgument, "b",
               {"control inputs last"});
}

TEST_CASE("cycles are refused with their nodes") {
  const AttrMap t = {{"T", DType::kFloat}};
  CheckRefused(MakeGraph({MakeNode("a", "Identity", {"b"}, t), MakeNode("b", "Identity", {"c"}, t),
                          MakeNode("c", "Identity", {"a"}, t)}),
               Code::kInvalidArgument, "a", {"cycle", "3 nodes", "'a'", "'b'", "'c'"});
  CheckRefused(MakeGraph({MakeNode("a", "Identity", {"a"}, t)}), Code::kInvalidArgument, "a", {"cycle", "1 nodes"});
  CheckRefused(MakeGraph({MakeNode("a", "NoOp", {"^b"}), MakeNode("b", "NoOp", {"^a"})}), Code::kInvalidArgument, "a",
               {"cycle"});
  Graph graph;
  CHECK(graph.AddNode(MakeNode("a", "Identity", {"a"}, t)).status().code() == Code::kInvalidArgument);
}

TEST_CASE("dtypes and attributes that do not fit") {
  const NodeDef a = MakePlaceholder("a", DType::kFloat, {});
  CheckRefused(MakeGraph({a, MakeNode("b", "Identity", {"a"}, {{"T", DType::kInt32}})}), Code::kInvalidArgument, "b",
               {"input 0 ('a')", "expected int32, found float"});
  CheckRefused(MakeGraph({a, MakeNode("b", "Identity", {"a"}, {{"T", 3}})}), Code::kInvalidArgument, "b",
               {"'T'", "expected type, found int"});
  CheckRefused(MakeGraph({a, MakeNode("b", "Identity", {"a"})}), Code::kInvalidArgument, "b", {"'T' is missing"});
  CheckRefused(
      MakeGraph({MakeNode("c", "Const", {}, {{"dtype", DType::kInt32}, {"value", TensorOf<float>({1}, {2})}})}),
      Code::kInvalidArgument, "c", {"int32", "float"});
  CheckRefused(MakeGraph({MakeNode("p", "Placeholder", {}, {{"dtype", DType::kFloat}, {"shape", Shape{-7}}})}),
               Code::kInvalidArgument, "p", {"'shape'", "-7"});
  TensorValue damaged;
  damaged.dtype = DType::kFloat;
  damaged.shape = Shape{1000000, 1000000, 1000};
  damaged.content = Bytes("abcd");
  CheckRefused(MakeGraph({MakeNode("c", "Const", {}, {{"dtype", DType::kFloat}, {"value", damaged}})}),
               Code::kResourceExhausted, "c", {"'value'"});
  damaged.shape = Shape{2};
  CheckRefused(MakeGraph({MakeNode("c", "Const", {}, {{"dtype", DType::kFloat}, {"value", damaged}})}),
               Code::kInvalidArgument, "c", {"'value'"});
}

TEST_CASE("shapes that do not fit name the node and the shapes of its inputs") {
  CheckRefused(MakeGraph({MakePlaceholder("x", DType::kFloat, {2, 3}), MakeConst<int32_t>("s", {2}, {4, 2}),
                          MakeNode("out", "Reshape", {"x", "s"}, {{"T", DType::kFloat}})}),
               Code::kInvalidArgument, "out", {"6 elements", "[4, 2]", "input shapes are [2, 3], [2]"});
}

TEST_CASE("attributes that the op does not know are kept") {
  Graph graph;
  MR_REQUIRE_OK(graph.Import(MakeGraph({MakeNode("n", "NoOp", {}, {{"_x", 1}, {"y", "z"}})})));
  CHECK(graph.Find("n")->attrs().size() == 2);
  CHECK(graph.ToGraphDef().nodes[0].attrs.size() == 2);
}

TEST_CASE("a scalar placeholder of an old producer has an unknown shape") {
  for (const int32_t producer : {21, 22}) {
    GraphDef def = MakeGraph({MakePlaceholder("x", DType::kFloat, {})});
    def.versions.producer = producer;
    Graph graph;
    MR_REQUIRE_OK(graph.Import(def));
    CHECK(graph.Find("x")->output(0).shape.has_rank == (producer == 22));
    CHECK(graph.versions().producer == producer);
  }
}

TEST_CASE("an op that is gone is refused for graphs of newer producers") {
  const GraphDef def = MakeGraph({MakeNode("x", "PlaceholderV2", {}, {{"dtype", DType::kFloat}, {"shape", Shape{2}}})});
  CheckRefused(def, Code::kUnimplemented, "x", {"below 23"});
  GraphDef old = def;
  old.versions.producer = 22;
  Graph graph;
  MR_REQUIRE_OK(graph.Import(old));
}

TEST_CASE("types of references that freezing left behind are repaired") {
  Registry registry;
  registry.Define("Source").Output("y: float").Shape(shape_fns::UnknownOutputs);
  registry.Define("RefSource").Output("y: Ref(float)").Shape(shape_fns::UnknownOutputs);
  registry.Define("Pass").Input("x: T").Output("y: T").Attr("T: type").Shape(shape_fns::Unchanged);
  registry.Define("RefPass").Input("x: Ref(T)").Output("y: Ref(T)").Attr("T: type").Shape(shape_fns::Unchanged);
  registry.Define("RefUse").Input("x: Ref(float)").Shape(shape_fns::NoOutputs);
  const DType ref = MakeRef(DType::kFloat);
  Graph graph(registry);
  MR_REQUIRE_OK(graph.Import(MakeGraph({
      MakeNode("source", "Source", {}),
      MakeNode("variable", "RefSource", {}),
      MakeNode("pass", "Pass", {"source"}, {{"T", ref}}),
      MakeNode("frozen", "RefPass", {"pass"}, {{"T", DType::kFloat}}),
      MakeNode("reference", "RefPass", {"variable"}, {{"T", DType::kFloat}}),
      MakeNode("read", "Pass", {"reference"}, {{"T", DType::kFloat}}),
      MakeNode("use", "RefUse", {"reference"}),
  })));
  CHECK(graph.Find("pass")->output_types()[0] == DType::kFloat);
  CHECK(graph.Find("frozen")->op().name() == "Pass");
  CHECK(graph.Find("reference")->op().name() == "RefPass");
  CHECK(graph.Find("reference")->output_types()[0] == ref);
  CHECK(graph.Find("read")->input_types()[0] == DType::kFloat);
  // A plain tensor is no reference.
  const Result<Node*> bad = graph.AddNode(MakeNode("bad", "RefUse", {"read"}));
  INFO(bad.status().ToString());
  CHECK(bad.status().code() == Code::kInvalidArgument);
  CHECK_THAT(bad.status().ToString(), Catch::Matchers::Contains("expected float_ref, found float"));
}

TEST_CASE("loops of old control flow close through NextIteration alone") {
  Registry registry;
  registry.Define("Source").Output("y: float").Shape(shape_fns::ScalarOutput);
  registry.Define("Merge")
      .Input("inputs: N * T")
      .Output("output: T")
      .Output("value_index: int32")
      .Attr("T: type")
      .Attr("N: int >= 1")
      .Shape(shape_fns::UnknownOutputs);
  registry.Define("NextIteration").Input("data: T").Output("output: T").Attr("T: type").Shape(shape_fns::Unchanged);
  Graph graph(registry);
  const AttrMap t = {{"T", DType::kFloat}};
  MR_REQUIRE_OK(graph.Import(MakeGraph({
      MakeNode("next", "NextIteration", {"merge"}, t),
      MakeNode("merge", "Merge", {"source", "next"}, {{"T", DType::kFloat}, {"N", 2}}),
      MakeNode("source", "Source", {}),
  })));
  const Node* merge = graph.Find("merge");
  CHECK(merge->inputs()[1].node == graph.Find("next"));
  CHECK(graph.Find("next")->users() == std::vector<Node*>{graph.Find("merge")});
  CHECK(merge->id() < graph.Find("next")->id());
  Graph other(registry);
  CHECK(other
            .Import(MakeGraph({
                MakeNode("next", "NextIteration", {"merge"}, {{"T", DType::kInt32}}),
                MakeNode("merge", "Merge", {"source", "next"}, {{"T", DType::kFloat}, {"N", 2}}),
                MakeNode("source", "Source", {}),
            }))
            .code() == Code::kInvalidArgument);
}

TEST_CASE("one node at a time") {
  Graph graph;
  const Result<Node*> a = graph.AddNode(MakePlaceholder("a", DType::kFloat, {2, -1}));
  MR_REQUIRE_OK(a);
  const Result<Node*> b = graph.AddNode(MakeNode("b", "Shape", {"a"}, {{"T", DType::kFloat}}));
  MR_REQUIRE_OK(b);
  CHECK((*b)->output(0).elements.elements[0] == SymElement::Number(2));
  CHECK((*a)->users() == std::vector<Node*>{*b});
  CHECK(graph.AddNode(MakeNode("c", "Shape", {"d"}, {{"T", DType::kFloat}})).status().code() == Code::kInvalidArgument);
  CHECK(graph.AddNode(MakeNode("a", "NoOp", {})).status().code() == Code::kInvalidArgument);
  CHECK(graph.AddNode(MakeNode("e", "Nonesuch", {})).status().code() == Code::kNotFound);
  CHECK(graph.nodes().size() == 2);
}

TEST_CASE("endpoints are found by the names of tensors") {
  Graph graph;
  MR_REQUIRE_OK(graph.Import(MakeGraph({MakePlaceholder("scope/x", DType::kFloat, {})})));
  CHECK(*graph.FindEndpoint("scope/x") == Endpoint{graph.Find("scope/x"), 0});
  CHECK(*graph.FindEndpoint("scope/x:0") == Endpoint{graph.Find("scope/x"), 0});
  CHECK(*graph.FindEndpoint("^scope/x") == Endpoint{graph.Find("scope/x"), -1});
  const Status bad = graph.FindEndpoint("scope/x:3").status();
  CHECK(bad.code() == Code::kNotFound);
  CHECK_THAT(bad.ToString(), Catch::Matchers::Contains("'scope/x:3'") && Catch::Matchers::Contains("node's 1"));
  for (const char* name : {"", ":", ":0", "^", "scope/x:", "scope/x:-1", "scope/x:0:0", "scope"}) {
    INFO(name);
    CHECK(graph.FindEndpoint(name).status().code() == Code::kNotFound);
  }
}

TEST_CASE("a graph that is written and read again is the same") {
  GraphDef def = MakeGraph({
      MakePlaceholder("a", DType::kFloat, {2, -1}),
      MakeConst<int32_t>("s", {1}, {-1}),
      MakeNode("b", "Reshape", {"a", "s", "^a"}, {{"T", DType::kFloat}}),
      MakeNode("n", "ShapeN", {"a", "b"}, {{"T", DType::kFloat}, {"N", 2}}),
      MakeNode("i", "Identity", {"n:1"}, {{"T", DType::kInt32}}),
  });
  def.nodes[2].device = "/device:CPU:0";
  def.nodes[3].unread_fields = "bytes";
  Graph first, second;
  MR_REQUIRE_OK(first.Import(def));
  const GraphDef once = first.ToGraphDef();
  CHECK(once.nodes[2].inputs == def.nodes[2].inputs);
  CHECK(once.nodes[4].inputs == std::vector<std::string>{"n:1"});
  CHECK(once.nodes[2].device == "/device:CPU:0");
  CHECK(once.nodes[3].unread_fields == "bytes");
  CHECK(once.versions == def.versions);
  MR_REQUIRE_OK(second.Import(once));
  CHECK(second.ToGraphDef() == once);
}

}  // namespace
TEST_CASE("Groups of colocation follow the nodes that they are called after") {
  ListValue groups;
  groups.s = {"loc:@a", "loc:@elsewhere", "other"};
  NodeDef b = MakeNode("b", "Identity", {"a"}, {{"T", DType::kFloat}, {"_class", groups}});
  GraphDef def;
  def.nodes = {MakePlaceholder("a", DType::kFloat, {}), b};
  Graph graph;
  const auto groups_of = [&](std::string_view name) {
    const Node* node = graph.Find(name);
    REQUIRE(node != nullptr);
    return node->attrs().find("_class")->second.get<ListValue>()->s;
  };
  ImportOptions under;
  under.prefix = "p";
  MR_REQUIRE_OK(graph.Import(def, under));
  CHECK(groups_of("p/b") == std::vector<std::string>{"loc:@p/a", "loc:@p/elsewhere", "other"});
  MR_REQUIRE_OK(graph.Import(def));
  CHECK(groups_of("b") == groups.s);
  ImportOptions again;
  again.uniquify_names = true;
  MR_REQUIRE_OK(graph.Import(def, again));
  CHECK(groups_of("b_1") == std::vector<std::string>{"loc:@a_1", "loc:@elsewhere", "other"});
}

}  // namespace millrace
