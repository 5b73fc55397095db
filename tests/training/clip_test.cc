// Clipping, dense and sparse.
#include <cmath>
#include <limits>

#include "millrace/tests/training/run.h"

namespace millrace {
namespace {

TEST_CASE("values are clipped; the lower bound wins") {
  const Scope root = Scope::NewRoot();
  const Output x = Const(root, {-3.0, 0.5, 7.0});
  Runs runs(root);
  const Output clipped = ClipByValue(root, x, -1, 2), crossed = ClipByValue(root, x, 2, -1);
  const Gradient slices = ClipByValue(root, Gradient(IndexedSlices{x, Const(root, {4, 5, 6}), {}}), -1, 2);
  MR_REQUIRE_OK(root.status());
  CHECK(runs.Get(clipped) == std::vector<double>{-1, 0.5, 2});
  CHECK(runs.Get(crossed) == std::vector<double>{2, 2, 2});
  REQUIRE(slices.sparse());
  CHECK(runs.Get(slices.slices().values) == std::vector<double>{-1, 0.5, 2});
  CHECK(runs.Get(slices.slices().indices) == std::vector<double>{4, 5, 6});
}

TEST_CASE("norms are clipped where they are too large") {
  const Scope root = Scope::NewRoot();
  const Output x = Const(root, {{3.0, 4.0}, {0.0, 0.0}, {0.3, 0.4}});
  const Output all = ClipByNorm(root, x, 2.0), small = ClipByNorm(root, x, 100.0);
  const Output rows = ClipByNorm(root, x, 1.0, {1});
  const Output gradient = Gradients(root, {rows}, {x})[0].dense();
  MR_REQUIRE_OK(root.status());
  Runs runs(root);
  const double norm = std::sqrt(25.25);
  CheckNear(runs.Get(all), {6 / norm, 8 / norm, 0, 0, 0.6 / norm, 0.8 / norm});
  CheckNear(runs.Get(small), {3, 4, 0, 0, 0.3, 0.4});
  CheckNear(runs.Get(rows), {0.6, 0.8, 0, 0, 0.3, 0.4});
  // No NaN where the norm is zero.
  for (const double g : runs.Get(gradient)) CHECK(std::isfinite(g));
}

TEST_CASE("gradients are scaled together by their global norm") {
  const Scope root = Scope::NewRoot();
  const Output a = Const(root, {3.0, 0.0}), b = Const(root, {{4.0}});
  const std::vector<Gradient> gradients = {a, Gradient(), IndexedSlices{b, Const(root, {7}), {}}};
  const ClippedByGlobalNorm half = ClipByGlobalNorm(root, gradients, 2.5), same = ClipByGlobalNorm(root, gradients, 9);
  MR_REQUIRE_OK(root.status());
  Runs runs(root);
  CheckNear(runs.Get(half.global_norm), {5});
  CheckNear(runs.Get(half.gradients[0].dense()), {1.5, 0});
  CHECK(half.gradients[1].none());
  CheckNear(runs.Get(half.gradients[2].slices().values), {2});
  CHECK(runs.Get(half.gradients[2].slices().indices) == std::vector<double>{7});
  CheckNear(runs.Get(same.gradients[0].dense()), {3, 0});
  CheckNear(runs.Get(same.gradients[2].slices().values), {4});
}

TEST_CASE("a global norm that is not finite is seen in every gradient") {
  const Scope root = Scope::NewRoot();
  const Output a = Const(root, Tensor::Scalar(std::numeric_limits<float>::infinity())), b = Const(root, 1.0);
  const ClippedByGlobalNorm clipped = ClipByGlobalNorm(root, std::vector<Gradient>{a, b}, 1.0);
  MR_REQUIRE_OK(root.status());
  Runs runs(root);
  CHECK(std::isnan(runs.Get(clipped.gradients[1].dense())[0]));
}

TEST_CASE("the norm of no gradient is an error") {
  const Scope root = Scope::NewRoot();
  CHECK(!GlobalNorm(root, {Gradient(), Gradient()}).valid());
  CHECK_THAT(root.status().ToString(), Catch::Matchers::Contains("global_norm"));
  const ClippedByGlobalNorm clipped = ClipByGlobalNorm(root, std::vector<Gradient>(2), 1.0);
  CHECK(clipped.gradients.size() == 2);
}

}  // namespace
}  // namespace millrace
