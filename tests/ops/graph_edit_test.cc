// The live graph changes: nodes one by one, names, inputs, the library.
#include "millrace/ops/graph/graph.h"
#include "millrace/tests/ops/graph_builder.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

const AttrMap kFloatT = {{"T", DType::kFloat}};

Node* Add(Graph* graph, NodeSpec spec) {
  Result<Node*> node = graph->AddNode(std::move(spec));
  MR_REQUIRE_OK(node);
  return *node;
}

Node* AddPlaceholder(Graph* graph, std::string name, Shape shape, DType dtype = DType::kFloat) {
  return Add(graph, {std::move(name), "Placeholder", {}, {}, {{"dtype", dtype}, {"shape", std::move(shape)}}, ""});
}

Node* AddUnary(Graph* graph, std::string name, std::string op, Node* x) {
  return Add(graph, {std::move(name), std::move(op), {{x, 0}}, {}, kFloatT, ""});
}

void CheckFails(const Status& s, Code code, std::string_view node, std::string_view part) {
  INFO(s.ToString());
  CHECK(s.code() == code);
  CHECK(s.node() == node);
  CHECK_THAT(s.ToString(), Catch::Matchers::Contains(std::string(part)));
}

std::string ShapeOf(const Graph& graph, const Node* node) { return graph.dims().ToString(node->output(0).shape); }

TEST_CASE("a node is added with nodes as its inputs, and inferred at once") {
  Graph graph;
  Node* x = AddPlaceholder(&graph, "x", {-1, 3});
  Node* first = Add(&graph, {"first", "NoOp", {}, {}, {}, ""});
  Node* sum = Add(&graph, {"sum", "AddV2", {{x, 0}, {x, 0}}, {first}, kFloatT, "/device:CPU:0"});
  CHECK(ShapeOf(graph, sum) == "[x.0, 3]");
  CHECK(sum->control_inputs() == std::vector<Node*>{first});
  CHECK(sum->device() == "/device:CPU:0");
  CHECK(sum->id() == 2);
  CHECK(x->users() == std::vector<Node*>{sum, sum});
  CHECK(graph.Find("sum") == sum);
  // What is written and read again is the same graph.
  Graph again;
  MR_REQUIRE_OK(again.Import(graph.ToGraphDef()));
  CHECK(again.ToGraphDef() == graph.ToGraphDef());
}

TEST_CASE("a node that does not fit is refused by name, and nothing is added") {
  Graph graph, other;
  Node* x = AddPlaceholder(&graph, "x", {2, 3});
  Node* y = AddPlaceholder(&graph, "y", {5});
  Node* stranger = AddPlaceholder(&other, "stranger", {2});
  const auto fails = [&](NodeSpec spec, Code code, std::string_view part) {
    const std::string name = spec.name;
    CheckFails(graph.AddNode(std::move(spec)).status(), code, name, part);
    CHECK(graph.nodes().size() == 2);
    CHECK(x->users().empty());
  };
  fails({"a", "AddV2", {{x, 0}, {y, 0}}, {}, kFloatT, ""}, Code::kInvalidArgument, "[2, 3] and [5]");
  fails({"a", "AddV2", {{x, 0}}, {}, kFloatT, ""}, Code::kInvalidArgument, "expected 2 inputs, found 1");
  fails({"a", "Neg", {{x, 1}}, {}, kFloatT, ""}, Code::kInvalidArgument, "found number 1");
  fails({"a", "Neg", {{x, -1}}, {}, kFloatT, ""}, Code::kInvalidArgument, "found number -1");
  fails({"a", "Neg", {{nullptr, 0}}, {}, kFloatT, ""}, Code::kInvalidArgument, "found none");
  fails({"a", "Neg", {{stranger, 0}}, {}, kFloatT, ""}, Code::kInvalidArgument, "'stranger'");
  fails({"a", "Neg", {{x, 0}}, {stranger}, kFloatT, ""}, Code::kInvalidArgument, "'stranger'");
  fails({"a", "Neg", {{x, 0}}, {}, {{"T", DType::kInt32}}, ""}, Code::kInvalidArgument, "expected int32, found float");
  fails({"a", "Neg", {{x, 0}}, {}, {}, ""}, Code::kInvalidArgument, "'T' is missing");
  fails({"a", "Nonesuch", {}, {}, {}, ""}, Code::kNotFound, "Nonesuch");
  fails({"x", "Neg", {{x, 0}}, {}, kFloatT, ""}, Code::kInvalidArgument, "name of its own");
  fails({"", "NoOp", {}, {}, {}, ""}, Code::kInvalidArgument, "expected a name");
  fails({"a:0", "NoOp", {}, {}, {}, ""}, Code::kInvalidArgument, "':'");
}

TEST_CASE("unique names count up, whatever the case of letters, and take the scopes around them") {
  Graph graph;
  CHECK(graph.UniqueName("x") == "x");
  CHECK(graph.UniqueName("x") == "x_1");
  CHECK(graph.UniqueName("X") == "X_2");
  CHECK(graph.UniqueName("x_1") == "x_1_1");
  CHECK(graph.UniqueName("a/b/c") == "a/b/c");
  CHECK(graph.UniqueName("a/b") == "a/b_1");
  CHECK(graph.UniqueName("a") == "a_1");
  CHECK(graph.UniqueName("a/b/C") == "a/b/C_1");
  // Names of nodes, imported or added, are taken too; making a node of a name
  // that was given does not count it twice.
  MR_REQUIRE_OK(graph.Import(MakeGraph({MakeNode("in/deep/node", "NoOp", {}), MakeNode("y_1", "NoOp", {})})));
  CHECK(graph.UniqueName("in/deep") == "in/deep_1");
  CHECK(graph.UniqueName("y") == "y");
  CHECK(graph.UniqueName("y") == "y_2");
  const std::string z = graph.UniqueName("z");
  Add(&graph, {z, "NoOp", {}, {}, {}, ""});
  CHECK(graph.UniqueName("z") == "z_1");
  Add(&graph, {"w", "NoOp", {}, {}, {}, ""});
  CHECK(graph.UniqueName("w") == "w_1");
}

TEST_CASE("a hundred thousand nodes of one name do not search for their numbers") {
  Graph graph;
  std::string last;
  for (int i = 0; i < 100000; ++i) last = graph.UniqueName("same");
  CHECK(last == "same_99999");
}

TEST_CASE("an input is replaced, and what follows is inferred again") {
  Graph graph;
  Node* x = AddPlaceholder(&graph, "x", {2, 3});
  Node* y = AddPlaceholder(&graph, "y", {-1, 3});
  Node* a = AddUnary(&graph, "a", "Neg", x);
  Node* b = AddUnary(&graph, "b", "Neg", a);
  Node* shape = Add(&graph, {"shape", "Shape", {{b, 0}}, {}, kFloatT, ""});
  CHECK(shape->output(0).elements.elements[0] == SymElement::Number(2));
  MR_REQUIRE_OK(graph.ReplaceInput(a, 0, {y, 0}));
  CHECK(a->inputs()[0] == Endpoint{y, 0});
  CHECK(ShapeOf(graph, a) == "[y.0, 3]");
  CHECK(ShapeOf(graph, b) == "[y.0, 3]");
  CHECK(graph.dims().ToString(shape->output(0).elements.elements[0]) == "y.0");
  CHECK(x->users().empty());
  CHECK(y->users() == std::vector<Node*>{a});
  // Users stay in the order of arrival.
  Node* c = AddUnary(&graph, "c", "Neg", x);
  MR_REQUIRE_OK(graph.ReplaceInput(a, 0, {x, 0}));
  CHECK(x->users() == std::vector<Node*>{a, c});
  CHECK(shape->output(0).elements.elements[0] == SymElement::Number(2));
}

TEST_CASE("an input that does not fit leaves the graph as it was") {
  Graph graph;
  Node* x = AddPlaceholder(&graph, "x", {2, 3});
  Node* y = AddPlaceholder(&graph, "y", {2, 3});
  Node* odd = AddPlaceholder(&graph, "odd", {5});
  Node* ints = AddPlaceholder(&graph, "ints", {2, 3}, DType::kInt32);
  Node* a = AddUnary(&graph, "a", "Neg", x);
  Node* b = AddUnary(&graph, "b", "Neg", a);
  Node* sum = Add(&graph, {"sum", "AddV2", {{b, 0}, {y, 0}}, {}, kFloatT, ""});
  const GraphDef before = graph.ToGraphDef();
  const auto fails = [&](Node* node, int index, Endpoint from, std::string_view blamed, std::string_view part) {
    CheckFails(graph.ReplaceInput(node, index, from), Code::kInvalidArgument, blamed, part);
    CHECK(graph.ToGraphDef() == before);
    CHECK(ShapeOf(graph, a) == "[2, 3]");
    CHECK(ShapeOf(graph, b) == "[2, 3]");
    CHECK(ShapeOf(graph, sum) == "[2, 3]");
    CHECK(x->users() == std::vector<Node*>{a});
    CHECK(odd->users().empty());
  };
  fails(a, 0, {odd, 0}, "sum", "[5]");  // found two nodes further on
  fails(a, 0, {ints, 0}, "a", "expected float, found int32");
  fails(a, 0, {sum, 0}, "a", "'sum' depends on 'a'");
  fails(a, 0, {a, 0}, "a", "'a' depends on 'a'");
  fails(a, 1, {x, 0}, "a", "1 inputs");
  fails(a, 0, {x, 3}, "a", "found number 3");
  fails(a, 0, {nullptr, 0}, "a", "found none");
  Graph other;
  fails(a, 0, {AddPlaceholder(&other, "x", {2, 3}), 0}, "a", "of this graph");
}

TEST_CASE("an input may come from a node that arrived later") {
  Graph graph;
  Node* x = AddPlaceholder(&graph, "x", {2, 3});
  Node* a = AddUnary(&graph, "a", "Neg", x);
  Node* late = AddPlaceholder(&graph, "late", {-1});
  Node* b = AddUnary(&graph, "b", "Neg", late);
  MR_REQUIRE_OK(graph.ReplaceInput(a, 0, {b, 0}));
  CHECK(ShapeOf(graph, a) == "[late.0]");
  CHECK(graph.ReplaceInput(b, 0, {a, 0}).code() == Code::kInvalidArgument);
  CHECK(graph.AddControlInput(late, a).code() == Code::kInvalidArgument);
  Graph again;
  MR_REQUIRE_OK(again.Import(graph.ToGraphDef()));
  CHECK(again.nodes().size() == 4);
}

TEST_CASE("control inputs make no cycle") {
  Graph graph;
  Node* a = Add(&graph, {"a", "NoOp", {}, {}, {}, ""});
  Node* b = Add(&graph, {"b", "NoOp", {}, {a}, {}, ""});
  Node* c = Add(&graph, {"c", "NoOp", {}, {b}, {}, ""});
  CheckFails(graph.AddControlInput(a, c), Code::kInvalidArgument, "a", "'c' depends on 'a'");
  CheckFails(graph.AddControlInput(a, a), Code::kInvalidArgument, "a", "cycle");
  MR_REQUIRE_OK(graph.AddControlInput(c, a));
  MR_REQUIRE_OK(graph.AddControlInput(c, a));
  CHECK(c->control_inputs() == std::vector<Node*>{b, a});
  Node* d = Add(&graph, {"d", "NoOp", {}, {}, {}, ""});
  MR_REQUIRE_OK(graph.AddControlInput(a, d));
  CheckFails(graph.AddControlInput(d, c), Code::kInvalidArgument, "d", "'c' depends on 'd'");
}

TEST_CASE("devices are set") {
  Graph graph, other;
  Node* a = Add(&graph, {"a", "NoOp", {}, {}, {}, ""});
  MR_REQUIRE_OK(graph.SetDevice(a, "/device:CPU:0"));
  CHECK(graph.ToGraphDef().nodes[0].device == "/device:CPU:0");
  CHECK(graph.SetDevice(Add(&other, {"a", "NoOp", {}, {}, {}, ""}), "").code() == Code::kInvalidArgument);
}

TEST_CASE("a function of the library has one body") {
  Graph graph;
  FunctionDef f;
  f.signature.name = "F";
  MR_REQUIRE_OK(graph.AddFunction(f));
  MR_REQUIRE_OK(graph.AddFunction(f));
  REQUIRE(graph.FindFunction("F") != nullptr);
  CHECK(graph.FindFunction("G") == nullptr);
  CHECK(graph.library().functions.size() == 1);
  f.nodes.emplace_back();
  CHECK(graph.AddFunction(f).code() == Code::kAlreadyExists);
  CHECK(graph.AddFunction({}).code() == Code::kInvalidArgument);
  CHECK(graph.ToGraphDef().library.functions.size() == 1);
}

TEST_CASE("a loop is closed by its back edge, and its shapes settle") {
  Graph graph;
  Node* x = AddPlaceholder(&graph, "x", {2, 3});
  const AttrMap two = {{"T", DType::kFloat}, {"N", 2}};
  Node* merge = Add(&graph, {"merge", "Merge", {{x, 0}, {x, 0}}, {}, two, ""});
  CHECK(ShapeOf(graph, merge) == "[2, 3]");
  Node* axis = Add(&graph, {"axis", "Const", {}, {}, MakeConst<int32_t>("axis", {}, {0}).attrs, ""});
  Node* grown = Add(&graph, {"grown", "ConcatV2", {{merge, 0}, {x, 0}, {axis, 0}}, {}, two, ""});
  CHECK(ShapeOf(graph, grown) == "[4, 3]");
  Node* next = AddUnary(&graph, "next", "NextIteration", grown);
  // The first dimension grows from turn to turn; the second is the same.
  MR_REQUIRE_OK(graph.ReplaceInput(merge, 1, {next, 0}));
  CHECK(ShapeOf(graph, merge) == "[?, 3]");
  CHECK(ShapeOf(graph, next) == "[?, 3]");
  CHECK(x->users() == std::vector<Node*>{merge, grown});
  CHECK(next->users() == std::vector<Node*>{merge});
  // A second way round the same nodes is no loop.
  CHECK(graph.ReplaceInput(merge, 0, {grown, 0}).code() == Code::kInvalidArgument);
  Graph again;
  MR_REQUIRE_OK(again.Import(graph.ToGraphDef()));
}

TEST_CASE("what a loop learns reaches another variable of it by its back edge") {
  Graph graph;
  Node* x = AddPlaceholder(&graph, "x", {2, 3});
  const AttrMap two = {{"T", DType::kFloat}, {"N", 2}};
  Node* a = Add(&graph, {"a", "Merge", {{x, 0}, {x, 0}}, {}, two, ""});
  Node* b = Add(&graph, {"b", "Merge", {{x, 0}, {x, 0}}, {}, two, ""});
  Node* axis = Add(&graph, {"axis", "Const", {}, {}, MakeConst<int32_t>("axis", {}, {0}).attrs, ""});
  // b is what a was a turn ago.
  Node* next_b = AddUnary(&graph, "next_b", "NextIteration", a);
  MR_REQUIRE_OK(graph.ReplaceInput(b, 1, {next_b, 0}));
  CHECK(ShapeOf(graph, b) == "[2, 3]");
  Node* grown = Add(&graph, {"grown", "ConcatV2", {{a, 0}, {x, 0}, {axis, 0}}, {}, two, ""});
  Node* next_a = AddUnary(&graph, "next_a", "NextIteration", grown);
  MR_REQUIRE_OK(graph.ReplaceInput(a, 1, {next_a, 0}));
  CHECK(ShapeOf(graph, a) == "[?, 3]");
  CHECK(ShapeOf(graph, b) == "[?, 3]");
}

}  // namespace
}  // namespace millrace
