// Prepared runs allocate nothing: every way to the heap is counted.
#include <atomic>
#include <cstdlib>
#include <memory>

#include "millrace/ops/cluster/program.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/runtime/heap.h"
#include "millrace/tests/runtime/plan_builder.h"
#include "millrace/tests/test.h"

namespace {
std::atomic<bool> counting{false};
std::atomic<long> allocations{0};
bool Count(size_t) {
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
  return false;
}
}  // namespace

namespace millrace::testing {

// Allocations of some hundred prepared runs of the plan's signature "run", which is
// fed [n, ...] and gives as much once or more, after a few to get warm.
long AllocationsOf(Runner& runner, std::vector<int64_t> dims, size_t results) {
  auto callable = runner.Prepare("run");
  MR_REQUIRE_OK(callable);
  int64_t n = 1;
  for (const int64_t d : dims) n *= d;
  std::vector<float> in(static_cast<size_t>(n), 1.f), out(static_cast<size_t>(n) * results);
  const auto rank = static_cast<int>(dims.size());
  const TensorView feed{in.data(), DType::kFloat, rank, dims.data(), n};
  std::vector<TensorView> outputs;
  for (size_t r = 0; r < results; ++r) {
    outputs.push_back({out.data() + r * static_cast<size_t>(n), DType::kFloat, rank, dims.data(), n});
  }
  bool ok = true;
  const auto run = [&](int times) {
    for (int i = 0; i < times; ++i) ok &= (*callable)->RunInto({&feed, 1}, outputs).ok();
  };
  run(3);
  allocations = 0;
  counting = true;
  run(300);
  counting = false;
  CHECK(ok);
  CHECK(out.back() != 0.f);
  return allocations;
}

TEST_CASE("prepared runs of clusters of many inputs and outputs allocate nothing") {
  if (!kWatchesHeap) MR_SKIP("the sanitizer owns the heap");
  on_allocation = Count;
  constexpr int kMany = 40;
  for (const int row_rank : {0, 1}) {
    PlanBuilder b;
    cluster::Program program;
    program.row_rank = row_rank;
    // Each output is the sum of what was fed and another vector, which repeats.
    std::vector<uint32_t> inputs{b.Feed("x:0", {-1, 5})}, outputs;
    program.inputs.push_back({DType::kFloat, cluster::Level::kFull, true});
    for (int i = 0; i < kMany; ++i) {
      inputs.push_back(b.Constant({5}, {1, 2, 3, 4, 5}));
      program.inputs.push_back({DType::kFloat, cluster::Level::kFull, true});
    }
    for (int i = 0; i < kMany; ++i) {
      const std::string name = Cat("y", i);
      outputs.push_back(b.Slot(name + ":0", b.DimsOf(inputs[0])));
      program.instructions.push_back({"AddV2", name, DType::kFloat, cluster::Level::kFull, {0, i + 1}, 0, false});
      program.outputs.push_back({kMany + 1 + i, true});
      b.Fetch(name + ":0", outputs.back());
    }
    if (row_rank > 0) {
      program.instructions.push_back(
          {"Sum", "sum", DType::kFloat, cluster::Level::kColumn, {program.outputs[0].reg}, 0, false});
      program.outputs.push_back({program.num_registers() - 1, false});
      outputs.push_back(b.Slot("sum:0", {b.Const(5)}));
    }
    b.Step(std::string(cluster::kClusterOp), "many", inputs, outputs);
    b.block().steps.back().attrs = cluster::ToAttrs(program);
    for (const int threads : {1, 2}) {
      EnvironmentOptions options;
      options.threads = threads;
      auto runner = NewPlanRunner(b.plan, std::make_shared<Environment>(options));
      MR_REQUIRE_OK(runner);
      for (const int64_t rows : {1, 7, 4000}) {
        INFO(row_rank << " row dimensions, " << rows << " rows, " << threads << " threads");
        CHECK(AllocationsOf(**runner, {rows, 5}, kMany) == 0);
      }
    }
  }
}

TEST_CASE("a thousand prepared runs allocate nothing") {
  if (!kWatchesHeap) MR_SKIP("the sanitizer owns the heap");
  on_allocation = Count;
  PlanBuilder b;
  const uint32_t x = b.Feed("x:0", {-1});
  const uint32_t c = b.Constant({1}, {0.5f});
  const uint32_t w = b.Slot("w:0", b.DimsOf(x)), up = b.Slot("pair:0", b.DimsOf(x)), z = b.Slot("z:0", b.DimsOf(x));
  b.Step("Work", "w", {x}, {w});
  b.Step("Pair", "pair", {w}, {up, plan::kNone});
  b.Step("Mul", "z", {up, c}, {z});
  b.Fetch("z:0", z);
  b.Fetch("w:0", w);
  for (int threads : {1, 2}) {
    auto runner = Load(b.plan, threads);
    MR_REQUIRE_OK(runner);
    auto callable = (*runner)->Prepare("run");
    MR_REQUIRE_OK(callable);
    std::vector<float> in(70000, 1.f), out(70000), also(70000);
    for (const int64_t n : {int64_t{70000}, int64_t{3}}) {
      const TensorView feed{in.data(), DType::kFloat, 1, &n, n};
      const TensorView outputs[] = {{out.data(), DType::kFloat, 1, &n, n}, {also.data(), DType::kFloat, 1, &n, n}};
      for (int i = 0; i < 3; ++i) MR_REQUIRE_OK((*callable)->RunInto({&feed, 1}, outputs));
      allocations = 0;
      counting = true;
      bool ok = true;
      for (int i = 0; i < 1000; ++i) ok &= (*callable)->RunInto({&feed, 1}, outputs).ok();
      counting = false;
      CHECK(ok);
      CHECK(allocations == 0);
      CHECK(out[2] == 1.25f);
    }
  }
  // The counter counts, also what operator new, which is in another library, takes.
  for (auto* take : {+[] {
                       void* volatile kept = std::malloc(1);  // a pair that nobody looks at is left out
                       std::free(kept);
                     },
                     +[] { ::operator delete(::operator new(1)); }}) {
    allocations = 0;
    counting = true;
    take();
    counting = false;
    CHECK(allocations > 0);
  }
}

}  // namespace millrace::testing
