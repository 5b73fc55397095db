// What optimisers refuse, and how they say so.
#include "millrace/tests/training/run.h"

namespace millrace {
namespace {

using Catch::Matchers::Contains;

struct Model {
  Scope root = Scope::NewRoot();
  Variable w{root.WithOpName("w"), {1.0, 2.0}}, v{root.WithOpName("v"), 3.0};
};

TEST_CASE("a loss that cannot be minimised is named") {
  Model m;
  AdamOptimizer optimizer;
  SECTION("whole numbers") {
    CHECK(!optimizer.Minimize(m.root, Const(m.root.WithOpName("loss"), 1)).valid());
    CHECK_THAT(m.root.status().ToString(), Contains("node 'loss'") && Contains("found int32"));
  }
  SECTION("no variable on the way") {
    CHECK(!optimizer.Minimize(m.root, Const(m.root.WithOpName("loss"), 1.0)).valid());
    CHECK_THAT(m.root.status().ToString(), Contains("w, v"));
  }
  SECTION("no variables at all") {
    const Scope empty = Scope::NewRoot();
    CHECK(!optimizer.Minimize(empty, Const(empty.WithOpName("loss"), 1.0)).valid());
    CHECK_THAT(empty.status().ToString(), Contains("node 'loss'") && Contains("no trainable variables"));
  }
}

TEST_CASE("gradients that do not fit their variable are named") {
  Model m;
  GradientDescentOptimizer optimizer(0.1);
  SECTION("shape") {
    optimizer.ApplyGradients(m.root, {{Const(m.root.WithOpName("g"), {1.0, 2.0, 3.0}), m.w}});
    CHECK_THAT(m.root.status().ToString(),
               Contains("node 'g'") && Contains("'w'") && Contains("[2]") && Contains("[3]"));
  }
  SECTION("dtype") {
    optimizer.ApplyGradients(m.root, {{Const(m.root.WithOpName("g"), {1.0, 2.0}, DType::kDouble), m.w}});
    CHECK_THAT(m.root.status().ToString(), Contains("'w'") && Contains("float") && Contains("double"));
  }
  SECTION("slices of a scalar") {
    optimizer.ApplyGradients(m.root, {{IndexedSlices{Const(m.root, {1.0}), Const(m.root, {0}), {}}, m.v}});
    CHECK_THAT(m.root.status().ToString(), Contains("'v'") && Contains("slices"));
  }
  SECTION("one variable twice") {
    const Output g = Const(m.root, {1.0, 2.0});
    optimizer.ApplyGradients(m.root, {{g, m.w}, {g, m.w}});
    CHECK_THAT(m.root.status().ToString(), Contains("'w'") && Contains("twice"));
  }
  SECTION("none") {
    optimizer.ApplyGradients(m.root, {{Gradient(), m.w}, {Gradient(), m.v}});
    CHECK_THAT(m.root.status().ToString(), Contains("w, v"));
  }
  CHECK(!m.root.ok());
}

TEST_CASE("a variable without gradient is left alone") {
  Model m;
  const Operation train =
      MomentumOptimizer(0.5, 0.9).ApplyGradients(m.root, {{Gradient(), m.w}, {Const(m.root, 1.0), m.v}});
  const Operation init = InitializeVariables(m.root);
  MR_REQUIRE_OK(m.root.status());
  CHECK(m.root.graph()->Find("w/Momentum") == nullptr);
  Runs runs(m.root);
  runs.Do(init);
  runs.Do(train);
  CHECK(runs.Get(m.w) == std::vector<double>{1, 2});
  CHECK(runs.Get(m.v) == std::vector<double>{2.5});
}

TEST_CASE("an optimiser without sparse updates says so") {
  class Dense final : public Optimizer {
   public:
    Dense() : Optimizer("Dense") {}

   private:
    Operation ApplyDense(At at, const Variable& variable, const Output& gradient) override {
      return variable.AssignSub(at, gradient);
    }
  };
  Model m;
  Dense().ApplyGradients(m.root, {{IndexedSlices{Const(m.root, {1.0}), Const(m.root, {0}), {}}, m.w}});
  CHECK(m.root.status().code() == Code::kUnimplemented);
  CHECK_THAT(m.root.status().ToString(), Contains("Dense") && Contains("'w'"));
}

TEST_CASE("hyperparameters out of range are told") {
  Model m;
  const Output g = Const(m.root, {1.0, 2.0});
  SECTION("Adagrad") {
    AdagradOptimizer(0.1, {.initial_accumulator_value = 0}).ApplyGradients(m.root, {{g, m.w}});
    CHECK_THAT(m.root.status().ToString(), Contains("initial_accumulator_value") && Contains("Adagrad"));
  }
  SECTION("Ftrl") {
    FtrlOptimizer(0.1, {.initial_accumulator_value = -1}).ApplyGradients(m.root, {{g, m.w}});
    CHECK_THAT(m.root.status().ToString(), Contains("initial_accumulator_value") && Contains("Ftrl"));
  }
  SECTION("a rate that is no scalar") {
    GradientDescentOptimizer({0.1, 0.2}).ApplyGradients(m.root, {{g, m.w}});
    CHECK(!m.root.ok());
  }
}

TEST_CASE("indices outside the variable are named at the run") {
  Model m;
  const Output indices = ops::Placeholder(m.root, DType::kInt32, {.shape = Shape({1})});
  const Operation train =
      MomentumOptimizer(0.1, 0.9).ApplyGradients(m.root, {{IndexedSlices{Const(m.root, {1.0}), indices, {}}, m.w}});
  const Operation init = InitializeVariables(m.root);
  MR_REQUIRE_OK(m.root.status());
  Runs runs(m.root);
  runs.Do(init);
  for (const int32_t bad : {-1, 2, 1 << 30}) {
    const Status status = runs.Try({}, {train}, {{indices, Tensor::Of<int32_t>(Shape({1}), {bad})}}).status();
    CHECK(status.code() == Code::kInvalidArgument);
    CHECK_THAT(status.ToString(), Contains(std::to_string(bad)) && Contains("'w'"));
  }
  CHECK(runs.Get(m.w) == std::vector<double>{1, 2});
}

}  // namespace
}  // namespace millrace
