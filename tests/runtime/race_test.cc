// Two callers train at once while steps are delayed at random: no data race (the
// thread sanitizer looks), and every result is one that some order explains.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <mutex>
#include <set>
#include <thread>

#include "millrace/proto/value/strings.h"
#include "millrace/tests/runtime/plan_builder.h"
#include "millrace/tests/test.h"

namespace millrace::testing {
namespace {

// init: v = 0; step: reads v twice along separate ways, then v += d, then reads it.
plan::Plan Training(int64_t n) {
  PlanBuilder b;
  b.Signature("init");
  {
    const uint32_t v = b.Variable("v", {n});
    const uint32_t c = b.Constant({n}, std::vector<float>(static_cast<size_t>(n), 0.f));
    b.Step("Assign", "init", {v, c}, {plan::kNone});
  }
  b.Signature("step");
  const uint32_t v = b.Variable("v", {n}), d = b.Feed("d:0", {n});
  const auto dims = b.DimsOf(d);
  const uint32_t left = b.LateOf("left:0", dims), right = b.LateOf("right:0", dims), after = b.LateOf("after:0", dims);
  const uint32_t ll = b.Slot("ll:0", dims), rr = b.Slot("rr:0", dims);
  const uint32_t s0 = b.Step("Identity", "left", {v}, {left});
  const uint32_t s1 = b.Step("Identity", "right", {v}, {right});
  const uint32_t s2 = b.Step("Add", "ll", {left, d}, {ll});
  const uint32_t s3 = b.Step("Add", "rr", {right, d}, {rr});
  const uint32_t s4 = b.Step("AssignAdd", "add", {v, d}, {plan::kNone}, {s0, s1, s2, s3});
  b.Step("Identity", "after", {v}, {after}, {s4});
  b.Fetch("ll:0", ll);
  b.Fetch("rr:0", rr);
  b.Fetch("after:0", after);
  return b.plan;
}

}  // namespace

TEST_CASE("two callers train at once, with delays between steps") {
  constexpr int64_t kSize = 70000;  // large enough for steps to be spread
  constexpr int kRuns = 25, kCallers = 2;
  for (int threads : {1, 3}) {
    auto environment = TestEnvironment(threads);
    std::atomic<uint32_t> seed{12345};
    std::mutex ran_mutex;
    std::set<std::thread::id> ran;
    environment->before_step = [&](std::string_view) {
      {
        const std::lock_guard lock(ran_mutex);
        ran.insert(std::this_thread::get_id());
      }
      const uint32_t r = seed.fetch_add(2654435761u, std::memory_order_relaxed) >> 16;
      if (r % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(r % 300));
    };
    auto runner = NewPlanRunner(Training(kSize), environment);
    MR_REQUIRE_OK(runner);
    auto init = (*runner)->Prepare("init"), step = (*runner)->Prepare("step");
    MR_REQUIRE_OK(init);
    MR_REQUIRE_OK(step);
    std::vector<Tensor> none;
    MR_REQUIRE_OK((*init)->Run({}, &none));
    std::vector<float> seen[kCallers];
    std::atomic<int> wrong{0};
    std::vector<std::thread> callers;
    for (int c = 0; c < kCallers; ++c) {
      callers.emplace_back([&, c] {
        const Tensor d = Tensor::Of<float>({kSize}, std::vector<float>(kSize, 1.f));
        for (int i = 0; i < kRuns; ++i) {
          std::vector<Tensor> out;
          if (!(*step)->Run({d}, &out).ok()) {
            ++wrong;
            return;
          }
          const auto ll = out[0].elements<float>(), rr = out[1].elements<float>(), after = out[2].elements<float>();
          // One value a read, the same along both ways, whole.
          for (const auto& values : {ll, rr, after}) {
            if (!std::all_of(values.begin(), values.end(), [&](float x) { return x == values[0]; })) ++wrong;
          }
          if (ll[0] != rr[0]) ++wrong;
          // The write comes after the reads of its own run.
          if (after[0] < ll[0]) ++wrong;
          seen[c].push_back(after[0]);
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    CHECK(wrong == 0);
    // The callers, this thread's init, and workers where there are some.
    if (threads == 1) CHECK(ran.size() == kCallers + 1);
    else CHECK(ran.size() > kCallers + 1);
    for (const auto& s : seen) {
      CHECK(s.size() == kRuns);
      CHECK(std::is_sorted(s.begin(), s.end()));
    }
    // No update is lost.
    const float last = std::max(seen[0].back(), seen[1].back());
    CHECK(last == kRuns * kCallers);
  }
}

TEST_CASE("two callers run one Adam update over shared variables") {
  constexpr int64_t kSize = 70000;
  PlanBuilder b;
  const char* const names[] = {"w", "m", "v", "beta1_power", "beta2_power"};
  b.Signature("init");
  for (const char* name : names) {
    const bool scalar = std::string_view(name).starts_with("beta");
    const std::vector<int64_t> dims = scalar ? std::vector<int64_t>{} : std::vector<int64_t>{kSize};
    const uint32_t value = b.Constant(dims, std::vector<float>(scalar ? 1 : kSize, scalar ? 0.9f : 1.f));
    b.Step("Assign", Cat(name, "/init"), {b.Variable(name, dims), value}, {plan::kNone});
    b.block().steps.back().attrs = {{"T", DType::kFloat}};
  }
  b.Signature("step");
  std::vector<uint32_t> inputs;
  for (const char* name : names) {
    inputs.push_back(b.Variable(
        name, std::string_view(name).starts_with("beta") ? std::vector<int64_t>{} : std::vector<int64_t>{kSize}));
  }
  const std::vector<uint32_t> dims = b.DimsOf(inputs[0]);
  const uint32_t read = b.LateOf("read:0", dims), gradient = b.Slot("gradient:0", dims),
                 after = b.LateOf("after:0", dims);
  const uint32_t s0 = b.Step("Identity", "read", {inputs[0]}, {read});
  b.block().steps.back().attrs = {{"T", DType::kFloat}};
  const uint32_t s1 = b.Step("Mul", "gradient", {read, read}, {gradient});
  b.block().steps.back().attrs = {{"T", DType::kFloat}};
  for (float hyper : {0.01f, 0.9f, 0.999f, 1e-8f}) inputs.push_back(b.Constant({}, {hyper}));
  inputs.push_back(gradient);
  const uint32_t s2 = b.Step("ApplyAdam", "adam", inputs, {plan::kNone}, {s0, s1});
  b.block().steps.back().attrs = {{"T", DType::kFloat}};
  b.Step("Identity", "after", {inputs[0]}, {after}, {s2});
  b.block().steps.back().attrs = {{"T", DType::kFloat}};
  b.Fetch("read:0", read);
  b.Fetch("after:0", after);
  for (int threads : {1, 2}) {
    EnvironmentOptions options;
    options.threads = threads;
    auto environment = std::make_shared<Environment>(options);
    std::atomic<uint32_t> seed{99};
    environment->before_step = [&](std::string_view) {
      const uint32_t r = seed.fetch_add(2654435761u, std::memory_order_relaxed) >> 16;
      if (r % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(r % 200));
    };
    auto runner = NewPlanRunner(b.plan, environment);
    MR_REQUIRE_OK(runner);
    auto init = (*runner)->Prepare("init"), step = (*runner)->Prepare("step");
    std::vector<Tensor> none;
    MR_REQUIRE_OK((*init)->Run({}, &none));
    std::atomic<int> wrong{0};
    std::vector<std::thread> callers;
    for (int c = 0; c < 2; ++c) {
      callers.emplace_back([&] {
        float before = 2;
        for (int i = 0; i < 20; ++i) {
          std::vector<Tensor> out;
          if (!(*step)->Run({}, &out).ok()) {
            ++wrong;
            return;
          }
          // Whole snapshots of a weight that only falls.
          for (const Tensor& t : out) {
            const auto values = t.elements<float>();
            if (!std::all_of(values.begin(), values.end(), [&](float x) { return x == values[0]; })) ++wrong;
            if (!std::isfinite(values[0]) || values[0] > before) ++wrong;
            before = values[0];
          }
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    CHECK(wrong == 0);
  }
}

TEST_CASE("closing waits for runs in progress") {
  PlanBuilder b;
  const uint32_t x = b.Feed("x:0", {});
  const uint32_t y = b.Slot("y:0", {});
  b.Step("Identity", "y", {x}, {y});
  b.Fetch("y:0", y);
  auto environment = TestEnvironment(1);
  environment->before_step = [](std::string_view) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); };
  auto runner = NewPlanRunner(b.plan, environment);
  MR_REQUIRE_OK(runner);
  auto callable = std::static_pointer_cast<SinkCallable>(*(*runner)->Prepare("run"));
  std::atomic<int> ran{0}, refused{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 3; ++c) {
    callers.emplace_back([&] {
      for (;;) {
        std::vector<Tensor> out;
        const Status status = callable->Run({Tensor::Scalar(1.f)}, &out);
        if (status.ok()) {
          ++ran;
          continue;
        }
        if (status.code() == Code::kFailedPrecondition) ++refused;
        return;
      }
    });
  }
  while (ran < 10) std::this_thread::yield();
  callable->Close();
  for (std::thread& caller : callers) caller.join();
  CHECK(refused == 3);
}

}  // namespace millrace::testing
