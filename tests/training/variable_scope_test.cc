// Variables by name: sharing, reuse and clashes.
#include "millrace/tests/training/run.h"

namespace millrace {
namespace {

using Catch::Matchers::Contains;

Variable Get(const Scope& scope, std::string_view name = "w", const Shape& shape = Shape({2}),
             DType dtype = DType::kFloat) {
  return GetVariable(scope, name, shape, dtype, ZerosInitializer());
}

TEST_CASE("variable scopes name variables; other scopes only nodes") {
  const Scope root = Scope::NewRoot();
  const Scope outer = VariableScope(root, "outer");
  const Scope inner = VariableScope(outer, "inner");
  CHECK(Get(root).name() == "w");
  CHECK(Get(outer).name() == "outer/w");
  CHECK(Get(inner).name() == "outer/inner/w");
  CHECK(Get(inner.NewSubScope("part"), "v").name() == "outer/inner/v");
  CHECK(Get(root.NewSubScope("part"), "v").name() == "v");
  // The same variable scope again: other nodes, the same names of variables.
  const Scope again = VariableScope(root, "outer", Reuse::kYes);
  CHECK(again.name_scope() == "outer_1/");
  CHECK(Get(again).name() == "outer/w");
  REQUIRE(root.ok());
  CHECK(Variables(root).size() == 5);
}

TEST_CASE("reuse gives the same variable, and is inherited") {
  const Scope root = Scope::NewRoot();
  const Variable w = Get(VariableScope(VariableScope(root, "a"), "b"));
  CHECK(Get(VariableScope(VariableScope(root, "a", Reuse::kYes), "b")) == w);
  CHECK(Get(VariableScope(VariableScope(root, "a", Reuse::kAuto), "b")) == w);
  const Scope automatic = VariableScope(root, "a", Reuse::kAuto);
  const Variable v = Get(automatic, "v");
  CHECK(v.name() == "a/v");
  CHECK(Get(automatic, "v") == v);
  REQUIRE(root.ok());
  CHECK(Variables(root).size() == 2);
}

TEST_CASE("one layer used twice trains one variable") {
  const Scope root = Scope::NewRoot();
  const auto layer = [&](const Output& x) {
    const Scope scope = VariableScope(root, "layer", Reuse::kAuto);
    return ops::Mul(scope, x, GetVariable(scope, "w", Shape(), DType::kFloat, ConstantInitializer(3.0)));
  };
  const Output y = layer(layer(Const(root, 2.0)));
  const auto gradients = GradientDescentOptimizer(0.1).ComputeGradients(root, y);
  REQUIRE(root.ok());
  REQUIRE(gradients.size() == 1);
  Runs runs(root);
  runs.Do(InitializeVariables(root));
  CHECK(runs.Get(y) == std::vector<double>{18});
  CHECK(runs.Get(gradients[0].gradient.dense()) == std::vector<double>{12});
}

TEST_CASE("names that clash are errors that say what to do") {
  const Scope root = Scope::NewRoot();
  const Scope scope = VariableScope(root, "layer");
  Get(scope);
  REQUIRE(root.ok());
  SECTION("made twice") {
    CHECK(!Get(scope).valid());
    CHECK(root.status().code() == Code::kAlreadyExists);
    CHECK_THAT(root.status().ToString(), Contains("'layer/w'") && Contains("Reuse::kAuto"));
  }
  SECTION("made twice in a scope of the same name") {
    CHECK(!Get(VariableScope(root, "layer")).valid());
    CHECK(root.status().code() == Code::kAlreadyExists);
  }
  SECTION("shared, but not there") {
    CHECK(!Get(VariableScope(root, "layer", Reuse::kYes), "other").valid());
    CHECK(root.status().code() == Code::kNotFound);
    CHECK_THAT(root.status().ToString(), Contains("'layer/other'"));
  }
  SECTION("shared with another shape") {
    CHECK(!Get(VariableScope(root, "layer", Reuse::kYes), "w", Shape({3})).valid());
    CHECK_THAT(root.status().ToString(), Contains("'layer/w'") && Contains("[2]") && Contains("[3]"));
  }
  SECTION("shared with another dtype") {
    CHECK(!Get(VariableScope(root, "layer", Reuse::kYes), "w", Shape({2}), DType::kDouble).valid());
    CHECK_THAT(root.status().ToString(), Contains("float") && Contains("double"));
  }
  SECTION("taken by a node") {
    Const(root.WithOpName("taken"), 1.0);
    CHECK(!Get(root, "taken").valid());
    CHECK(root.status().code() == Code::kAlreadyExists);
    CHECK_THAT(root.status().ToString(), Contains("'taken'") && Contains("Const"));
  }
  SECTION("taken by a scope") {
    CHECK(!Get(root, "layer").valid());
    CHECK(root.status().code() == Code::kAlreadyExists);
  }
  SECTION("a name that is none") {
    CHECK(!Get(root, "a b").valid());
    CHECK(!root.ok());
  }
}

TEST_CASE("without an initialiser, weights are Glorot's and whole numbers zero") {
  const Scope root = Scope::NewRoot();
  SetRandomSeed(root, 5);
  const Variable w = GetVariable(root, "w", Shape({30, 50})), n = GetVariable(root, "n", Shape({3}), DType::kInt32);
  Runs runs(root);
  runs.Do(InitializeVariables(root));
  double largest = 0;
  for (const double x : runs.Get(w)) largest = std::max(largest, std::abs(x));
  const double limit = std::sqrt(6.0 / 80);
  CHECK(largest <= limit);
  CHECK(largest > 0.95 * limit);
  CHECK(runs.Get(n) == std::vector<double>{0, 0, 0});
}

TEST_CASE("the global step is one variable") {
  const Scope root = Scope::NewRoot();
  const Variable step = GlobalStep(VariableScope(root, "anywhere"));
  CHECK(step.name() == "global_step");
  CHECK(step.dtype() == DType::kInt64);
  CHECK(!step.trainable());
  CHECK(GlobalStep(root) == step);
  REQUIRE(root.ok());
}

}  // namespace
}  // namespace millrace
