// The memory of a plan, before it runs, and what a run then says.
#include "millrace/runtime/plan/peak_memory.h"

#include "millrace/tests/runtime/plan_builder.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

using testing::Load;
using testing::PlanBuilder;

// y = (x + k) * k for x of any length.
plan::Plan Chain(bool late = false) {
  PlanBuilder b;
  const uint32_t x = b.Feed("x:0", {-1, 4});
  const uint32_t k = b.Constant({4}, {1, 2, 3, 4});
  const uint32_t sum = b.Slot("sum:0", b.DimsOf(x)), product = b.Slot("product:0", b.DimsOf(x));
  b.Step("Add", "sum", {x, k}, {sum});
  b.Step("Mul", "product", {sum, k}, {product});
  b.Fetch("product:0", product);
  if (late) {
    const uint32_t row = b.Feed("r:0", {-1});
    const uint32_t found = b.Late("found:0");
    b.Step("Positive", "found", {row}, {found});
    b.Fetch("found:0", found);
  }
  return b.plan;
}

}  // namespace

TEST_CASE("the peak of a plan is an expression of its symbols, and a number where they are given") {
  const plan::Plan plan = Chain();
  auto peak = PeakMemoryOf(plan, "run");
  MR_REQUIRE_OK(peak);
  CHECK(peak->constants.bytes == 16);
  CHECK(peak->variables.bytes == 0);
  CHECK(peak->results.text == "16*x:0.0");
  CHECK(peak->results.bytes == -1);
  CHECK(peak->total.bytes == -1);
  CHECK(peak->unbounded.empty());
  peak = PeakMemoryOf(plan, "run", {{"x:0.0", 100}});
  MR_REQUIRE_OK(peak);
  CHECK(peak->arena.bytes == 2 * 1600);
  CHECK(peak->results.bytes == 1600);
  CHECK(peak->total.bytes == 16 + 3 * 1600);
  // Each slot by itself is rounded up.
  peak = PeakMemoryOf(plan, "run", {{"x:0.0", 1}});
  MR_REQUIRE_OK(peak);
  CHECK(peak->arena.bytes == 2 * 64);
}

TEST_CASE("a run takes the arena that the plan says") {
  const plan::Plan plan = Chain();
  auto runner = Load(plan);
  MR_REQUIRE_OK(runner);
  auto callable = (*runner)->Prepare("run");
  MR_REQUIRE_OK(callable);
  for (int64_t n : {3, 50, 51}) {
    std::vector<Tensor> out;
    RunMetadata metadata;
    const Tensor x = Tensor::Of<float>(Shape({n, 4}), std::vector<float>(static_cast<size_t>(4 * n), 1.f));
    MR_REQUIRE_OK((*callable)->Run({x}, &out, {}, &metadata));
    const auto peak = PeakMemoryOf(plan, "run", {{"x:0.0", n}});
    MR_REQUIRE_OK(peak);
    CHECK(metadata.peak_bytes == peak->arena.bytes);
  }
}

TEST_CASE("what only the run knows is unbounded, by name") {
  const auto peak = PeakMemoryOf(Chain(true), "run", {{"x:0.0", 100}, {"r:0.0", 7}});
  MR_REQUIRE_OK(peak);
  CHECK(peak->arena.bytes == 2 * 1600);
  CHECK(peak->late.text == "unbounded");
  CHECK(peak->total.text == "unbounded");
  CHECK(peak->total.bytes == -1);
  CHECK(peak->unbounded == std::vector<std::string>{"found:0"});
}

TEST_CASE("variables count with their declared sizes, snapshots as if they were copies") {
  PlanBuilder b;
  const uint32_t v = b.Variable("v", {8, 8}), x = b.Feed("x:0", {8, 8});
  const uint32_t read = b.LateOf("read:0", b.DimsOf(x)), y = b.Slot("y:0", b.DimsOf(x));
  b.Step("Identity", "read", {v}, {read});
  b.Step("Add", "y", {read, x}, {y});
  b.Fetch("y:0", y);
  auto peak = PeakMemoryOf(b.plan, "run");
  MR_REQUIRE_OK(peak);
  CHECK(peak->variables.bytes == 256);
  CHECK(peak->late.bytes == 256);
  CHECK(peak->total.bytes == 4 * 256);
  b.Variable("open", {-1});
  peak = PeakMemoryOf(b.plan, "run");
  MR_REQUIRE_OK(peak);
  CHECK(peak->variables.text == "unbounded");
  CHECK(peak->unbounded == std::vector<std::string>{"open"});
}

TEST_CASE("wrong questions about memory, and wrong plans, are errors") {
  const plan::Plan plan = Chain();
  const auto code = [](const Result<PeakMemory>& peak) { return peak.status().code(); };
  CHECK(code(PeakMemoryOf(plan, "walk")) == Code::kNotFound);
  CHECK(code(PeakMemoryOf(plan, "run", {{"y:0.0", 1}})) == Code::kInvalidArgument);
  CHECK(code(PeakMemoryOf(plan, "run", {{"x:0.0", -1}})) == Code::kInvalidArgument);
  plan::Plan bad = plan;
  bad.signatures[0].block = 7;
  CHECK(code(PeakMemoryOf(bad, "run")) == Code::kInvalidArgument);
  bad = plan;
  bad.exprs.push_back({plan::DimOp::kMul, 99, 99, 0});
  CHECK(code(PeakMemoryOf(bad, "run")) == Code::kInvalidArgument);
  bad = plan;
  bad.blocks[0].results[0] = 99;
  CHECK(code(PeakMemoryOf(bad, "run")) == Code::kInvalidArgument);
  bad = plan;
  bad.blocks[0].steps[0].blocks = {0};
  CHECK(code(PeakMemoryOf(bad, "run")) == Code::kInvalidArgument);
  // What overflows has no bound, and no number.
  const auto peak = PeakMemoryOf(plan, "run", {{"x:0.0", INT64_MAX}});
  MR_REQUIRE_OK(peak);
  CHECK(peak->total.bytes == -1);
}

}  // namespace millrace
