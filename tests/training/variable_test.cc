// Variables: the nodes they are made of, reads and writes, and what is refused.
#include "millrace/tests/training/run.h"

namespace millrace {
namespace {

using Catch::Matchers::Contains;

std::vector<std::string> NodeNames(const Scope& scope) {
  std::vector<std::string> names;
  for (const auto& node : scope.graph()->nodes()) names.push_back(node->name());
  std::sort(names.begin(), names.end());
  return names;
}

TEST_CASE("a variable is made of the nodes that the reference framework makes") {
  const Scope root = Scope::NewRoot();
  const Variable handle(root.WithOpName("w"), {1.0, 2.0});
  const Variable reference(root.WithOpName("v"), {1.0, 2.0}, {.resource = false});
  REQUIRE(root.ok());
  CHECK(NodeNames(root) == std::vector<std::string>{"v", "v/Assign", "v/initial_value", "v/read", "w", "w/Assign",
                                                    "w/Initializer/initial_value", "w/IsInitialized/VarIsInitializedOp",
                                                    "w/Read/ReadVariableOp"});
  CHECK(root.graph()->Find("w")->op().name() == "VarHandleOp");
  CHECK(root.graph()->Find("v")->op().name() == "VariableV2");
  CHECK(handle.value().name() == "w/Read/ReadVariableOp:0");
  CHECK(reference.value().name() == "v/read:0");
  CHECK(handle.dtype() == DType::kFloat);
  CHECK(reference.dtype() == DType::kFloat);
  CHECK(handle.shape() == Shape({2}));
  CHECK(Variables(root).size() == 2);
  CHECK(TrainableVariables(root) == std::vector<Variable>{handle, reference});
  CHECK(root.Collection("variables").size() == 2);
}

TEST_CASE("variables of one name are made unique, below the scope that makes them") {
  const Scope root = Scope::NewRoot();
  const Scope layer = root.NewSubScope("layer");
  CHECK(Variable(layer, 1.0).name() == "layer/Variable");
  CHECK(Variable(layer, 1.0).name() == "layer/Variable_1");
  const Variable w(layer.WithOpName("w"), Shape({2}), DType::kFloat, ZerosInitializer());
  CHECK(w.name() == "layer/w");
  // Arithmetic on its value goes where the variable was made, not inside it.
  CHECK((w + 1).name() == "layer/AddV2:0");
  REQUIRE(root.ok());
}

TEST_CASE("values are read and written, by handle and by reference") {
  const bool resource = GENERATE(true, false);
  const Scope root = Scope::NewRoot();
  const Variable w(root.WithOpName("w"), {{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}}, {.resource = resource});
  const Operation init = InitializeVariables(root);
  const Operation assign = w.Assign(root, Tensor::Of<float>(Shape({3, 2}), {1, 1, 1, 1, 1, 1}));
  const Operation add = w.AssignAdd(root, {{1.0, 0.0}, {0.0, 0.0}, {0.0, 2.0}});
  const Operation sub = w.AssignSub(root, {{1.0, 1.0}, {1.0, 1.0}, {1.0, 1.0}});
  const Output rows = Const(root, {2, 0, 2});
  const Operation update = w.ScatterUpdate(root, Const(root, {1}), {{8.0, 9.0}});
  const Operation scatter_add = w.ScatterAdd(root, rows, {{1.0, 1.0}, {2.0, 2.0}, {4.0, 4.0}});
  const Operation scatter_sub = w.ScatterSub(root, rows, {{1.0, 1.0}, {2.0, 2.0}, {4.0, 4.0}});
  const Output initialized = ops::Cast(root, w.IsInitialized(root), DType::kInt32);
  REQUIRE(root.ok());
  Runs runs(root);
  CHECK(runs.Get(initialized) == std::vector<double>{0});
  runs.Do(init);
  CHECK(runs.Get(initialized) == std::vector<double>{1});
  CHECK(runs.Get(w) == std::vector<double>{1, 2, 3, 4, 5, 6});
  runs.Do(add);
  CHECK(runs.Get(w) == std::vector<double>{2, 2, 3, 4, 5, 8});
  runs.Do(sub);
  CHECK(runs.Get(w) == std::vector<double>{1, 1, 2, 3, 4, 7});
  runs.Do(update);
  CHECK(runs.Get(w) == std::vector<double>{1, 1, 8, 9, 4, 7});
  runs.Do(scatter_add);
  CHECK(runs.Get(w) == std::vector<double>{3, 3, 8, 9, 9, 12});
  runs.Do(scatter_sub);
  CHECK(runs.Get(w) == std::vector<double>{1, 1, 8, 9, 4, 7});
  runs.Do(assign);
  CHECK(runs.Get(w) == std::vector<double>{1, 1, 1, 1, 1, 1});
}

TEST_CASE("a read of its own comes after what its scope waits for") {
  const bool resource = GENERATE(true, false);
  const Scope root = Scope::NewRoot();
  const Variable w(root.WithOpName("w"), 1.0, {.resource = resource});
  const Operation add = w.AssignAdd(root, 1.0);
  const Output after = w.Read(root.WithControlDependencies(add));
  const Operation init = InitializeVariables(root);
  Runs runs(root);
  runs.Do(init);
  CHECK(runs.Get(after) == std::vector<double>{2});
  CHECK(runs.Get(w) == std::vector<double>{2});
}

TEST_CASE("a variable that is used before it has a value is named at the first run") {
  const bool resource = GENERATE(true, false);
  const Scope root = Scope::NewRoot();
  const Variable weights(root.WithOpName("layer/weights"), {1.0, 2.0}, {.resource = resource});
  const Output y = ops::Mul(root, weights, 2);
  const Operation train = GradientDescentOptimizer(0.1).Minimize(root, ops::Sum(root, y, 0));
  REQUIRE(root.ok());
  Runs runs(root);
  for (const auto& [fetches, targets] :
       {std::pair<std::vector<std::string>, std::vector<std::string>>{{y}, {}}, {{}, {train}}}) {
    const Status status = runs.Try(fetches, targets).status();
    CHECK(status.code() == Code::kFailedPrecondition);
    CHECK_THAT(status.ToString(), Contains("layer/weights"));
  }
}

TEST_CASE("a variable of an imported graph is found with its read and its initialiser") {
  const bool resource = GENERATE(true, false);
  GraphDef def;
  {
    const Scope root = Scope::NewRoot();
    Variable(root.WithOpName("w"), {3.0, 4.0}, {.resource = resource});
    REQUIRE(root.ok());
    def = root.graph()->ToGraphDef();
  }
  auto graph = std::make_shared<Graph>();
  REQUIRE(graph->Import(def).ok());
  const size_t nodes = graph->nodes().size();
  const Scope root(graph);
  CHECK(Variables(root).empty());
  const Variable w = Variable::Existing(root, "w");
  REQUIRE(root.ok());
  CHECK(graph->nodes().size() == nodes);
  CHECK(w.dtype() == DType::kFloat);
  CHECK(w.shape() == Shape({2}));
  CHECK(w.is_resource() == resource);
  CHECK(w.initializer().name() == "w/Assign");
  CHECK(Variable::Existing(root, "w") == w);
  CHECK(TrainableVariables(root) == std::vector<Variable>{w});
  const Operation train = GradientDescentOptimizer(0.5).Minimize(root, ops::Sum(root, w * w, 0));
  const Operation init = InitializeVariables(root);
  Runs runs(root);
  runs.Do(init);
  runs.Do(train);
  CHECK(runs.Get(w) == std::vector<double>{0, 0});
}

TEST_CASE("a variable without a read or an initialiser in the graph gets a read") {
  const Scope root = Scope::NewRoot();
  Call(root.WithOpName("w"), "VariableV2", {}, {{"dtype", DType::kFloat}, {"shape", Shape({2})}});
  const Variable w = Variable::Existing(root, "w", /*trainable=*/false);
  REQUIRE(root.ok());
  CHECK(w.value().name() == "w/read:0");
  CHECK(!w.initializer().valid());
  CHECK(TrainableVariables(root).empty());
  InitializeVariables(root);
  CHECK_THAT(root.status().ToString(), Contains("node 'w'") && Contains("initial value"));
}

TEST_CASE("what is no variable is refused by name") {
  const Scope root = Scope::NewRoot();
  SECTION("no node") {
    CHECK(!Variable::Existing(root, "nowhere").valid());
    CHECK(root.status().code() == Code::kNotFound);
    CHECK_THAT(root.status().ToString(), Contains("'nowhere'"));
  }
  SECTION("another node") {
    Const(root.WithOpName("c"), 1.0);
    CHECK(!Variable::Existing(root, "c").valid());
    CHECK_THAT(root.status().ToString(), Contains("node 'c' (Const)"));
  }
}

TEST_CASE("initial values that do not fit are refused where the variable is made") {
  const Scope root = Scope::NewRoot();
  SECTION("a shape that is not fully known") {
    const Variable w(root.WithOpName("w"), Shape({-1, 2}), DType::kFloat, ZerosInitializer());
    CHECK(!w.valid());
    CHECK_THAT(root.status().ToString(), Contains("node 'w'") && Contains("[?,2]") && Contains("variable_test.cc"));
  }
  SECTION("an initializer of another shape") {
    const Variable w(root.WithOpName("w"), Shape({2}), DType::kFloat,
                     [](At at, const Shape&, DType) { return Const(at, {1.0, 2.0, 3.0}); });
    CHECK(!w.valid());
    CHECK_THAT(root.status().ToString(), Contains("'w'") && Contains("[2]") && Contains("[3]"));
  }
  SECTION("an initializer of another dtype") {
    const Variable w(root.WithOpName("w"), Shape({2}), DType::kFloat,
                     [](At at, const Shape&, DType) { return Const(at, {1, 2}); });
    CHECK_THAT(root.status().ToString(), Contains("should give float") && Contains("found int32"));
  }
  SECTION("no initializer") {
    const Variable w(root.WithOpName("w"), Shape({2}), DType::kFloat, Initializer());
    CHECK_THAT(root.status().ToString(), Contains("'w'"));
  }
  SECTION("an assignment of another shape") {
    const Variable w(root.WithOpName("w"), {1.0, 2.0}, {.resource = GENERATE(true, false)});
    CHECK(!w.Assign(root, {1.0, 2.0, 3.0}).valid());
    CHECK_THAT(root.status().ToString(), Contains("[2]") && Contains("[3]"));
  }
  // Nothing after an error adds nodes or crashes.
  const size_t nodes = root.graph()->nodes().size();
  const Variable late(root, 1.0);
  CHECK(!late.valid());
  CHECK(!Output(late).valid());
  CHECK(!late.Assign(root, 2.0).valid());
  CHECK(!late.Read(root).valid());
  CHECK(!InitializeVariables(root).valid());
  CHECK(!AdamOptimizer().Minimize(root, late).valid());
  CHECK(root.graph()->nodes().size() == nodes);
}

}  // namespace
}  // namespace millrace
