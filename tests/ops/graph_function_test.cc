// Functions of the library: their bodies as nodes, by InlineFunction and where
// an imported graph calls them.
#include <algorithm>
#include <random>

#include "millrace/ops/graph/function.h"
#include "millrace/tests/ops/graph_builder.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

ArgDef Arg(std::string name, std::string type_attr) {
  ArgDef arg;
  arg.name = std::move(name);
  arg.type_attr = std::move(type_attr);
  return arg;
}

AttrDef TypeAttr(std::string name) {
  AttrDef attr;
  attr.name = std::move(name);
  attr.type = "type";
  return attr;
}

AttrMap T(AttrValue type = AttrPlaceholder{"T"}) { return {{"T", std::move(type)}}; }

// f(x: T) -> y: T, y = x * x + x.
FunctionDef Square() {
  FunctionDef f;
  f.signature.name = "Square2";
  f.signature.inputs = {Arg("x", "T")};
  f.signature.outputs = {Arg("y", "T")};
  f.signature.attrs = {TypeAttr("T")};
  // Users first: the order in a body does not count.
  f.nodes = {MakeNode("sum", "AddV2", {"m:z:0", "x"}, T()), MakeNode("m", "Mul", {"x", "x"}, T())};
  f.ret = {{"y", "sum:z:0"}};
  return f;
}

// g(a, b) -> (p, q): p = Square2(a), q = b; calls by op name and by PartitionedCall.
FunctionDef Twice(bool by_name) {
  FunctionDef g;
  g.signature.name = "Twice";
  g.signature.inputs = {Arg("a", "T"), Arg("b", "T")};
  g.signature.outputs = {Arg("p", "T"), Arg("q", "T")};
  g.signature.attrs = {TypeAttr("T")};
  if (by_name) {
    g.nodes = {MakeNode("first", "Square2", {"a"}, T()), MakeNode("second", "Square2", {"first:y:0"}, T())};
    g.ret = {{"p", "second:y:0"}, {"q", "b"}};
  } else {
    const FuncValue f{"Square2", std::make_shared<const AttrMap>(T())};
    ListValue types;
    types.type = {DType::kFloat};
    const AttrMap attrs = {{"f", f}, {"Tin", types}, {"Tout", types}};
    g.nodes = {MakeNode("second", "PartitionedCall", {"first:output:0"}, attrs),
               MakeNode("first", "PartitionedCall", {"a"}, attrs)};
    g.ret = {{"p", "second:output:0"}, {"q", "b"}};
  }
  return g;
}

FuncValue Of(std::string name, DType type) {
  return {std::move(name), std::make_shared<const AttrMap>(AttrMap{{"T", type}})};
}

int Count(const Graph& graph, std::string_view op) {
  int n = 0;
  for (const auto& node : graph.nodes()) n += node->op().name() == op;
  return n;
}

TEST_CASE("a body is put into the graph with its arguments and attributes") {
  Graph graph;
  MR_REQUIRE_OK(graph.Import(MakeGraph({MakePlaceholder("x", DType::kDouble, {-1, 3})})));
  MR_REQUIRE_OK(graph.AddFunction(Square()));
  const auto once = InlineFunction(&graph, Of("Square2", DType::kDouble), {{graph.Find("x"), 0}});
  MR_REQUIRE_OK(once);
  REQUIRE(once->outputs.size() == 1);
  const Node& sum = *once->outputs[0].node;
  CHECK(sum.name() == "Square2/sum");
  CHECK(sum.inputs()[0] == Endpoint{graph.Find("Square2/m"), 0});
  CHECK(sum.inputs()[1] == Endpoint{graph.Find("x"), 0});
  CHECK(*sum.attrs().find("T")->second.get<DType>() == DType::kDouble);
  CHECK(graph.dims().ToString(sum.output(0).shape) == "[x.0, 3]");
  // Once more: names of its own.
  const auto again = InlineFunction(&graph, Of("Square2", DType::kDouble), {{graph.Find("x"), 0}});
  MR_REQUIRE_OK(again);
  CHECK(again->outputs[0].node->name() == "Square2_1/sum");
}

TEST_CASE("calls in bodies are put in too, by name and by PartitionedCall") {
  for (const bool by_name : {true, false}) {
    Graph graph;
    MR_REQUIRE_OK(
        graph.Import(MakeGraph({MakePlaceholder("x", DType::kFloat, {2}), MakePlaceholder("y", DType::kFloat, {3})})));
    MR_REQUIRE_OK(graph.AddFunction(Square()));
    MR_REQUIRE_OK(graph.AddFunction(Twice(by_name)));
    InlineOptions options;
    options.scope = "here";
    const auto body =
        InlineFunction(&graph, Of("Twice", DType::kFloat), {{graph.Find("x"), 0}, {graph.Find("y"), 0}}, options);
    MR_REQUIRE_OK(body);
    CHECK(body->outputs[0].node->name() == "here/second/sum");
    CHECK(body->outputs[0].node->inputs()[1] == Endpoint{graph.Find("here/first/sum"), 0});
    CHECK(body->outputs[1] == Endpoint{graph.Find("y"), 0});
    CHECK(graph.nodes().size() == 6);
  }
}

TEST_CASE("an imported graph's calls are the nodes of the bodies, under the names of the calls") {
  GraphDef def =
      MakeGraph({MakeNode("use", "Identity", {"call:1"}, T(DType::kFloat)),
                 MakeNode("call", "Twice", {"x", "x"}, T(DType::kFloat)), MakePlaceholder("x", DType::kFloat, {4}),
                 MakePlaceholder("call/first/m", DType::kFloat, {})});
  def.has_library = true;
  def.library.functions = {Square(), Twice(true)};
  Graph graph;
  MR_REQUIRE_OK(graph.Import(def));
  const Node* call = graph.Find("call");
  REQUIRE(call != nullptr);
  CHECK(call->op().name() == "IdentityN");
  CHECK(call->num_outputs() == 2);
  CHECK(call->inputs()[0].node->name() == "call/second/sum");
  CHECK(graph.Find("use")->inputs()[0] == Endpoint{graph.Find("call"), 1});
  CHECK(graph.dims().ToString(graph.Find("use")->output(0).shape) == "[4]");
  // The name that was there stays, and its scope is taken.
  CHECK(graph.Find("call/first/m")->op().name() == "Placeholder");
  REQUIRE(graph.Find("call/first_1/m") != nullptr);
  CHECK(graph.Find("call/first_1/m")->op().name() == "Mul");
  CHECK(Count(graph, "Mul") == 2);
  // With a prefix, everything is below it.
  ImportOptions options;
  options.prefix = "again";
  MR_REQUIRE_OK(graph.Import(def, options));
  CHECK(graph.Find("again/call")->inputs()[0].node->name() == "again/call/second/sum");
  CHECK(graph.library().functions.size() == 2);
}

TEST_CASE("what touches state in a body runs between what the call waits for and what waits for the call") {
  // Reset(v): Assign v, returns nothing.
  FunctionDef f;
  f.signature.name = "Reset";
  ArgDef handle;
  handle.name = "v";
  handle.type = DType::kResource;
  f.signature.inputs = {handle};
  f.nodes = {MakeConst<float>("zero", {}, {0}),
             MakeNode("assign", "AssignVariableOp", {"v", "zero:output:0"}, {{"dtype", DType::kFloat}})};
  GraphDef def = MakeGraph({MakeNode("v", "VarHandleOp", {}, {{"dtype", DType::kFloat}, {"shape", Shape({})}}),
                            MakeNode("before", "NoOp", {}), MakeNode("after", "NoOp", {"^call"}),
                            MakeNode("call", "Reset", {"v", "^before"})});
  def.has_library = true;
  def.library.functions = {f};
  Graph graph;
  MR_REQUIRE_OK(graph.Import(def));
  CHECK(graph.Find("call")->op().name() == "NoOp");
  const Node* assign = graph.Find("call/assign");
  REQUIRE(assign != nullptr);
  CHECK(assign->control_inputs() == std::vector<Node*>{graph.Find("before")});
  const auto& waits = graph.Find("call")->control_inputs();
  CHECK(std::find(waits.begin(), waits.end(), assign) != waits.end());
}

TEST_CASE("loops of two calls are two frames, and nodes that are placed together stay so") {
  Graph graph;
  MR_REQUIRE_OK(graph.Import(MakeGraph({MakePlaceholder("x", DType::kFloat, {})})));
  FunctionDef f = Square();
  ListValue with;
  with.s = {"loc:@enter", "loc:@elsewhere"};
  f.nodes = {MakeNode("enter", "Enter", {"x"}, {{"T", DType::kFloat}, {"frame_name", "loop"}}),
             MakeNode("next", "NextIteration", {"merge:output:0"}, {{"T", DType::kFloat}, {"_class", with}}),
             MakeNode("merge", "Merge", {"enter:output:0", "next:output:0"}, {{"T", DType::kFloat}, {"N", 2}}),
             MakeNode("exit", "Exit", {"merge:output"}, T(DType::kFloat))};
  f.ret = {{"y", "exit:output:0"}};
  MR_REQUIRE_OK(graph.AddFunction(f));
  for (const char* scope : {"one", "two"}) {
    InlineOptions options;
    options.scope = scope;
    MR_REQUIRE_OK(InlineFunction(&graph, Of("Square2", DType::kFloat), {{graph.Find("x"), 0}}, options));
  }
  const auto attr = [&](const char* node, const char* name) { return graph.Find(node)->attrs().find(name)->second; };
  CHECK(attr("one/enter", "frame_name") == AttrValue("one/loop"));
  CHECK(attr("two/enter", "frame_name") == AttrValue("two/loop"));
  CHECK(attr("two/next", "_class").get<ListValue>()->s == std::vector<std::string>{"loc:@two/enter", "loc:@elsewhere"});
  CHECK(graph.Find("two/merge")->inputs()[1] == Endpoint{graph.Find("two/next"), 0});
}

void CheckFails(const std::vector<FunctionDef>& functions, Code code, std::string_view part, int max_nodes = 1000) {
  Graph graph;
  MR_REQUIRE_OK(graph.Import(MakeGraph({MakePlaceholder("x", DType::kFloat, {2})})));
  for (const FunctionDef& f : functions) MR_REQUIRE_OK(graph.AddFunction(f));
  InlineOptions options;
  options.max_nodes = static_cast<size_t>(max_nodes);
  const auto body =
      InlineFunction(&graph, Of(functions[0].signature.name, DType::kFloat), {{graph.Find("x"), 0}}, options);
  INFO(body.status().ToString());
  CHECK(body.status().code() == code);
  CHECK_THAT(body.status().ToString(), Catch::Matchers::Contains(std::string(part)));
  CHECK(graph.nodes().size() == 1);
}

FunctionDef Changed(void (*change)(FunctionDef*)) {
  FunctionDef f = Square();
  change(&f);
  return f;
}

TEST_CASE("bodies that do not fit are refused, and nothing is added") {
  CheckFails({Changed([](FunctionDef* f) { f->nodes[0].inputs[0] = "gone:z:0"; })}, Code::kInvalidArgument, "gone");
  CheckFails({Changed([](FunctionDef* f) { f->nodes[0].inputs[0] = "m:w:0"; })}, Code::kInvalidArgument,
             "no output 'w'");
  CheckFails({Changed([](FunctionDef* f) { f->nodes[0].inputs[0] = "m:z:7"; })}, Code::kInvalidArgument, "number 7");
  CheckFails({Changed([](FunctionDef* f) { f->nodes[0].inputs[0] = "x:1"; })}, Code::kInvalidArgument, "1 tensors");
  CheckFails({Changed([](FunctionDef* f) { f->nodes[0].inputs.pop_back(); })}, Code::kInvalidArgument, "Square2/sum");
  CheckFails({Changed([](FunctionDef* f) { f->nodes[0].op = "Nonesuch"; })}, Code::kNotFound, "Nonesuch");
  CheckFails({Changed([](FunctionDef* f) { f->nodes[1].name = "sum"; })}, Code::kInvalidArgument, "twice");
  CheckFails({Changed([](FunctionDef* f) { f->nodes[1].name = "x"; })}, Code::kInvalidArgument, "twice");
  CheckFails({Changed([](FunctionDef* f) { f->ret.clear(); })}, Code::kInvalidArgument, "'y'");
  CheckFails({Changed([](FunctionDef* f) { f->nodes[1].attrs["T"] = AttrPlaceholder{"U"}; })}, Code::kInvalidArgument,
             "'U'");
  CheckFails({Changed([](FunctionDef* f) { f->nodes[1].inputs[0] = "sum:z:0"; })}, Code::kInvalidArgument, "cycle");
  CheckFails({Changed([](FunctionDef* f) {
               f->signature.inputs[0].type_attr.clear();
               f->signature.inputs[0].number_attr = "N";
               f->signature.inputs[0].type = DType::kFloat;
             })},
             Code::kInvalidArgument, "'N'");
  Graph graph;
  MR_REQUIRE_OK(graph.Import(MakeGraph({MakePlaceholder("x", DType::kFloat, {2})})));
  MR_REQUIRE_OK(graph.AddFunction(Square()));
  CHECK(InlineFunction(&graph, {"Nonesuch", nullptr}, {}).status().code() == Code::kNotFound);
  CHECK(InlineFunction(&graph, Of("Square2", DType::kFloat), {}).status().code() == Code::kInvalidArgument);
  CHECK(InlineFunction(&graph, Of("Square2", DType::kInt32), {{graph.Find("x"), 0}}).status().code() ==
        Code::kInvalidArgument);
  CHECK(graph.nodes().size() == 1);
}

TEST_CASE("recursion and bodies that grow without end are refused") {
  FunctionDef self = Square();
  self.nodes[1] = MakeNode("m", "Square2", {"x"}, T());
  self.nodes[0].inputs[0] = "m:y:0";
  CheckFails({self}, Code::kInvalidArgument, "recursion");
  // f0 calls f1 twice, f1 calls f2 twice ...: 2^40 calls of the last.
  std::vector<FunctionDef> functions;
  for (int i = 0; i < 40; ++i) {
    FunctionDef f = Square();
    f.signature.name = "f" + std::to_string(i);
    const std::string next = i == 39 ? "Neg" : "f" + std::to_string(i + 1);
    f.nodes = {MakeNode("a", next, {"x"}, T()), MakeNode("b", next, {"x"}, T())};
    f.ret = {{"y", "b:y:0"}};
    functions.push_back(f);
  }
  CheckFails(functions, Code::kResourceExhausted, "1000 nodes");
}

TEST_CASE("damaged libraries are imported or refused, without a crash") {
  std::mt19937 random(7);
  const auto pick = [&](auto&&... texts) {
    const std::string all[] = {std::string(texts)...};
    return all[random() % sizeof...(texts)];
  };
  const auto reference = [&] {
    return pick("x", "a", "b", "x:0", "x:1", "m", "m:z", "m:z:0", "m:z:9", "m:0", "first:y:0", "first:output:0",
                "first", "second:y:0", "sum:z:0", "^m", "^a", "^first", "^gone", "", ":", "::", "^", "a:b:c:d",
                "m:z:18446744073709551616", "m:z:-1");
  };
  int accepted = 0;
  for (int i = 0; i < 3000; ++i) {
    GraphDef def =
        MakeGraph({MakePlaceholder("x", DType::kFloat, {4}), MakeNode("call", "Twice", {"x", "x"}, T(DType::kFloat))});
    def.has_library = true;
    def.library.functions = {Square(), Twice(i % 2 == 0)};
    for (unsigned changes = 1 + random() % 3; changes > 0; --changes) {
      FunctionDef& f = def.library.functions[random() % 2];
      NodeDef& node = f.nodes[random() % f.nodes.size()];
      switch (random() % 7) {
        case 0:
          node.inputs[random() % node.inputs.size()] = reference();
          break;
        case 1:
          node.inputs.push_back(reference());
          break;
        case 2:
          f.ret.begin()->second = reference();
          break;
        case 3:
          f.control_ret["c"] = reference();
          break;
        case 4:
          node.op = pick("Mul", "Neg", "Square2", "Twice", "PartitionedCall", "NoOp", "Split", "");
          break;
        case 5:
          node.name = pick("m", "x", "a", "first", "sum", "", "a/b");
          break;
        default:
          f.signature.outputs[0].number_attr = pick("N", "T", "");
          break;
      }
    }
    Graph graph;
    const Status s = graph.Import(def);
    accepted += s.ok();
    if (!s.ok()) CHECK(graph.nodes().empty());
  }
  CHECK(accepted > 100);
  CHECK(accepted < 2900);
}

}  // namespace
}  // namespace millrace
