// Moving averages of variables.
#include "millrace/tests/training/run.h"

namespace millrace {
namespace {

TEST_CASE("averages follow their variables") {
  const bool resource = GENERATE(true, false), counted = GENERATE(true, false);
  const Scope root = Scope::NewRoot();
  const Variable w(root.WithOpName("w"), {1.0, 2.0}, {.resource = resource});
  const Variable step = GlobalStep(root, resource);
  const Operation train =
      GradientDescentOptimizer(1.0).ApplyGradients(root, {{Const(root, {1.0, -1.0}), w}}, {.global_step = step});
  ExponentialMovingAverage averages(0.9, {.num_updates = counted ? step : Variable()});
  const Operation update = averages.Apply(root.WithOpName("update").WithControlDependencies(train), {w});
  const Operation init = InitializeVariables(root);
  MR_REQUIRE_OK(root.status());
  const Variable average = averages.average(w);
  CHECK(update.name() == "update");
  CHECK(average.name() == "w/ExponentialMovingAverage");
  CHECK(average.is_resource() == resource);
  CHECK(!average.trainable());
  CHECK(!averages.average(step).valid());
  Runs runs(root);
  runs.Do(init);
  CheckNear(runs.Get(average), {1, 2});
  double w0 = 1, w1 = 2, a0 = 1, a1 = 2;
  for (int n = 1; n <= 4; ++n) {
    runs.Do(update);
    w0 -= 1;
    w1 += 1;
    const double decay = counted ? std::min(0.9, (1.0 + n) / (10.0 + n)) : 0.9;
    a0 = decay * a0 + (1 - decay) * w0;
    a1 = decay * a1 + (1 - decay) * w1;
    CheckNear(runs.Get(average), {a0, a1});
  }
}

TEST_CASE("what has no moving average is refused by name") {
  const Scope root = Scope::NewRoot();
  ExponentialMovingAverage averages(0.9);
  CHECK(!averages.Apply(root, {GlobalStep(root)}).valid());
  CHECK_THAT(root.status().ToString(), Catch::Matchers::Contains("'global_step'"));
}

}  // namespace
}  // namespace millrace
