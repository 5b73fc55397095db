// Learning rates over steps, against their formulas.
#include <cmath>
#include <numbers>

#include "millrace/tests/training/run.h"

namespace millrace {
namespace {

struct Case {
  Output rate;
  std::function<double(double)> formula;
};

TEST_CASE("schedules follow their formulas") {
  const Scope root = Scope::NewRoot();
  const Output step = ops::Placeholder(root, GENERATE(DType::kInt64, DType::kInt32), {.shape = Shape()});
  const std::vector<Case> cases = {
      {ExponentialDecay(root, 0.5, step, 6, 0.7), [](double s) { return 0.5 * std::pow(0.7, s / 6); }},
      {ExponentialDecay(root, 0.5, step, 6, 0.7, {.staircase = true}),
       [](double s) { return 0.5 * std::pow(0.7, std::floor(s / 6)); }},
      {NaturalExpDecay(root, 0.5, step, 4, 0.3), [](double s) { return 0.5 * std::exp(-0.3 * s / 4); }},
      {NaturalExpDecay(root, 0.5, step, 4, 0.3, {.staircase = true}),
       [](double s) { return 0.5 * std::exp(-0.3 * std::floor(s / 4)); }},
      {InverseTimeDecay(root, 0.5, step, 4, 0.3), [](double s) { return 0.5 / (1 + 0.3 * s / 4); }},
      {InverseTimeDecay(root, 0.5, step, 4, 0.3, {.staircase = true}),
       [](double s) { return 0.5 / (1 + 0.3 * std::floor(s / 4)); }},
      {PolynomialDecay(root, 0.5, step, 10, {.end_learning_rate = 0.1, .power = 2.0}),
       [](double s) { return 0.4 * std::pow(1 - std::min(s, 10.0) / 10, 2) + 0.1; }},
      {PolynomialDecay(root, 0.5, step, 10, {.end_learning_rate = 0.1, .cycle = true}),
       [](double s) {
         const double steps = 10 * std::max(1.0, std::ceil(s / 10));
         return 0.4 * (1 - s / steps) + 0.1;
       }},
      {PiecewiseConstant(root, step, {3, 7}, {1, 0.5, 0.25}),
       [](double s) { return s <= 3   ? 1
                             : s <= 7 ? 0.5
                                      : 0.25; }},
      {PiecewiseConstant(root, step, {}, {0.5}), [](double) { return 0.5; }},
      {CosineDecay(root, 0.5, step, 10, {.alpha = 0.1}),
       [](double s) { return 0.5 * (0.9 * 0.5 * (1 + std::cos(std::numbers::pi * std::min(s, 10.0) / 10)) + 0.1); }},
      {NoamDecay(root, 2.0, step, 64, 4),
       [](double s) { return 2 / 8.0 * std::min(1 / std::sqrt(s + 1), (s + 1) * std::pow(4.0, -1.5)); }},
      {LinearWarmup(root, 0.5, step, 5), [](double s) { return 0.5 * std::min(1.0, (s + 1) / 5); }},
      {LinearWarmup(root, ExponentialDecay(root, 0.5, step, 6, 0.7), step, 5),
       [](double s) { return 0.5 * std::pow(0.7, s / 6) * std::min(1.0, (s + 1) / 5); }},
  };
  MR_REQUIRE_OK(root.status());
  Runs runs(root);
  for (size_t i = 0; i < cases.size(); ++i) {
    CHECK(cases[i].rate.dtype() == DType::kFloat);
    for (const int s : {0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 20, 23}) {
      INFO("schedule " << i << ", step " << s);
      const Tensor now = step.dtype() == DType::kInt64 ? Tensor::Scalar(int64_t{s}) : Tensor::Scalar(s);
      CheckNear(runs.Get(cases[i].rate, {{step, now}}), {cases[i].formula(s)}, 1e-5);
    }
  }
}

TEST_CASE("a schedule takes the dtype of its rate") {
  const Scope root = Scope::NewRoot();
  const Output rate = Const(root, 0.5, DType::kDouble);
  CHECK(CosineDecay(root, rate, Const(root, 3), 10).dtype() == DType::kDouble);
  MR_REQUIRE_OK(root.status());
}

TEST_CASE("piecewise constants that do not fit are refused") {
  const Scope root = Scope::NewRoot();
  const Output step = Const(root, 3);
  SECTION("counts") {
    CHECK(!PiecewiseConstant(root, step, {1, 2}, {1, 2}).valid());
    CHECK_THAT(root.status().ToString(), Catch::Matchers::Contains("2 boundaries and 2 values"));
  }
  SECTION("order") {
    CHECK(!PiecewiseConstant(root, step, {2, 1}, {1, 2, 3}).valid());
    CHECK_THAT(root.status().ToString(), Catch::Matchers::Contains("boundaries should rise"));
  }
}

TEST_CASE("an optimiser follows a schedule of the step that it counts") {
  const bool resource = GENERATE(true, false);
  const Scope root = Scope::NewRoot();
  const Variable w(root.WithOpName("w"), 1.0, {.resource = resource});
  const Variable step = GlobalStep(root, resource);
  const Output rate = PiecewiseConstant(root, step, {0, 1}, {0.5, 0.25, 0.125});
  const Operation train =
      GradientDescentOptimizer(rate).ApplyGradients(root, {{Const(root, 1.0), w}}, {.global_step = step});
  const Operation init = InitializeVariables(root);
  MR_REQUIRE_OK(root.status());
  Runs runs(root);
  runs.Do(init);
  for (const double expected : {0.5, 0.25, 0.125, 0.0}) {
    runs.Do(train);
    CHECK(runs.Get(w) == std::vector<double>{expected});
  }
  CHECK(runs.Get(step) == std::vector<double>{4});
}

}  // namespace
}  // namespace millrace
