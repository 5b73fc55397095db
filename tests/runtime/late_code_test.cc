// Machine code that comes while a plan runs: when it is asked for, that it takes over
// between two runs and never within one, and that closing and refusing leave all as it
// was. The code is a fake that gives other results than the bodies, so that a run says
// which of them made it.
#include <atomic>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "millrace/ops/cluster/code.h"
#include "millrace/ops/cluster/gain.h"
#include "millrace/tests/runtime/plan_builder.h"
#include "millrace/tests/test.h"

namespace millrace::testing {
namespace {

constexpr int64_t kElements = 40000;  // several blocks, for several threads

// ((x * x) * x) + x, of floats.
cluster::Program Cubed() {
  cluster::Program p;
  p.inputs.push_back({DType::kFloat, cluster::Level::kFull, true});
  const auto add = [&](const char* op, int a, int b) {
    p.instructions.push_back({op, op, DType::kFloat, cluster::Level::kFull, {a, b}, 0, false});
    return p.num_registers() - 1;
  };
  p.outputs.push_back({add("AddV2", add("Mul", add("Mul", 0, 0), 0), 0), true});
  return cluster::Canonical(p);
}

plan::Plan CubedPlan() {
  PlanBuilder b;
  const uint32_t x = b.Feed("x:0", {kElements}), y = b.Slot("y:0", b.DimsOf(x));
  b.Step(std::string(cluster::kClusterOp), "cubed", {x}, {y});
  b.block().steps.back().attrs = cluster::ToAttrs(Cubed());
  b.Fetch("y:0", y);
  return b.plan;
}

// Copies its input.
std::shared_ptr<const CodeStore> Copier(const cluster::Program& program, std::string_view symbol) {
  const unsigned char code[] = {
      0x48, 0x8b, 0x3f,        // mov (%rdi), %rdi
      0x48, 0x8b, 0x36,        // mov (%rsi), %rsi
      0x48, 0x8b, 0x12,        // mov (%rdx), %rdx
      0x48, 0xc1, 0xe6, 0x02,  // shl $2, %rsi
      0x48, 0x85, 0xc9,        // test %rcx, %rcx
      0x7e, 0x17,              // jle to the ret
      0xc5, 0xfc, 0x10, 0x07,  // vmovups (%rdi), %ymm0
      0xc5, 0xfc, 0x11, 0x02,  // vmovups %ymm0, (%rdx)
      0x48, 0x01, 0xf7,        // add %rsi, %rdi
      0x48, 0x83, 0xc2, 0x20,  // add $32, %rdx
      0x48, 0xff, 0xc9,        // dec %rcx
      0x75, 0xec,              // jne to the load
      0xc5, 0xf8, 0x77,        // vzeroupper
      0xc3,                    // ret
  };
  cluster::CompiledProgram compiled;
  compiled.segments.push_back({0, 8, 0, 0, cluster::SegmentDigest(program, cluster::SegmentsOf(program)[0])});
  compiled.code.assign(reinterpret_cast<const char*>(code), sizeof code);
  const std::string blob = cluster::EncodeCode(compiled);
  const CodeStore::Item item{symbol, "avx2", blob};
  return CodeStore::Load({&item, 1});
}

// Gives the copier when it is told to.
class FakeMaker final : public CodeMaker {
 public:
  void Want(std::shared_ptr<CodeUser> user) override {
    const std::lock_guard lock(mutex_);
    ++asked_;
    users_.push_back(std::move(user));
  }
  void Close() override {
    const std::lock_guard lock(mutex_);
    users_.clear();
  }
  int asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  // Of the program that asks, or of another.
  void Give(const std::optional<cluster::Program>& of = std::nullopt) {
    std::vector<std::shared_ptr<CodeUser>> users;
    {
      const std::lock_guard lock(mutex_);
      users.swap(users_);
    }
    for (const auto& user : users) user->Use(Copier(of.value_or(user->program()), "late"), "late");
  }

 private:
  std::mutex mutex_;
  int asked_ = 0;
  std::vector<std::shared_ptr<CodeUser>> users_;
};

struct Loaded {
  explicit Loaded(int threads, bool with_maker = true) {
    EnvironmentOptions options;
    options.threads = threads;
    if (with_maker) options.code_maker = maker;
    Result<std::unique_ptr<Runner>> made = NewPlanRunner(CubedPlan(), std::make_shared<Environment>(options));
    MR_REQUIRE_OK(made);
    runner = std::move(*made);
    Result<std::shared_ptr<Callable>> prepared = runner->Prepare(CubedPlan().signatures[0].name);
    MR_REQUIRE_OK(prepared);
    callable = std::move(*prepared);
  }
  // One run: which values there are in the result. Thread-safe.
  std::set<float> Run() const {
    std::vector<Tensor> out;
    const Tensor x = Tensor::Of<float>({kElements}, std::vector<float>(kElements, 2.f));
    if (!callable->Run({x}, &out).ok()) return {};
    return {out[0].elements<float>().begin(), out[0].elements<float>().end()};
  }
  // Runs that lose as much as code costs many times over.
  void RunUntilAsked() const {
    for (int i = 0; i < 100000 && maker->asked() == 0; ++i) Run();
  }

  std::shared_ptr<FakeMaker> maker = std::make_shared<FakeMaker>();
  std::unique_ptr<Runner> runner;
  std::shared_ptr<Callable> callable;
};

const std::set<float> kBodies = {10.f}, kCode = {2.f};

}  // namespace

TEST_CASE("code is asked for once, after runs that would have paid for it, and is used from the next run on") {
  const Loaded plan(1);
  CHECK(plan.Run() == kBodies);
  CHECK(plan.maker->asked() == 0);  // one run is no reason
  plan.RunUntilAsked();
  CHECK(plan.maker->asked() == 1);
  for (int i = 0; i < 100; ++i) plan.Run();
  CHECK(plan.maker->asked() == 1);
  CHECK(plan.Run() == kBodies);
  plan.maker->Give();
  CHECK(plan.Run() == kCode);
}

TEST_CASE("a plan without a maker of code runs as ever") {
  const Loaded plan(1, false);
  for (int i = 0; i < 1000; ++i) CHECK(plan.Run() == kBodies);
  CHECK(plan.maker->asked() == 0);
}

TEST_CASE("code that comes in the middle of runs is in a whole run or not in it") {
  for (const int threads : {1, 3}) {
    const Loaded plan(threads);
    plan.RunUntilAsked();
    REQUIRE(plan.maker->asked() == 1);
    std::atomic<int> before{0}, after{0}, mixed{0};
    std::atomic<bool> stop{false};
    std::vector<std::thread> callers;
    for (int c = 0; c < 3; ++c) {
      callers.emplace_back([&] {
        bool coded = false;
        while (!stop.load(std::memory_order_relaxed) || !coded) {
          const std::set<float> values = plan.Run();
          if (values == kCode) ++after, coded = true;
          else if (values == kBodies && !coded) ++before;
          else ++mixed;
        }
      });
    }
    while (before.load() < 10) std::this_thread::yield();
    plan.maker->Give();
    while (after.load() < 10) std::this_thread::yield();
    stop = true;
    for (std::thread& t : callers) t.join();
    CHECK(mixed.load() == 0);
  }
}

TEST_CASE("code that comes when its plan has gone does no harm") {
  auto plan = std::make_unique<Loaded>(1);
  plan->RunUntilAsked();
  REQUIRE(plan->maker->asked() == 1);
  const std::shared_ptr<FakeMaker> maker = plan->maker;
  plan.reset();
  maker->Give();
}

TEST_CASE("code of another program is not called") {
  const Loaded plan(1);
  plan.RunUntilAsked();
  cluster::Program other = Cubed();
  other.instructions.back().op = "Sub";
  plan.maker->Give(other);
  CHECK(plan.Run() == kBodies);
}

TEST_CASE("what code is worth follows from the program alone") {
  const cluster::CodeGain light = cluster::GainOfCode(Cubed(), Registry::BuiltIn());
  CHECK(light.element > 0);
  CHECK(light.make > 0);
  CHECK(light.Of(1000) > light.Of(10));
  // Functions of many instructions, each a loop of its own however they are run.
  cluster::Program functions = Cubed();
  functions.instructions[0] = {"Tanh", "Tanh", DType::kFloat, cluster::Level::kFull, {0}, 0, false};
  functions.instructions[1] = {"Exp", "Exp", DType::kFloat, cluster::Level::kFull, {1}, 0, false};
  functions.instructions[2] = {"Erf", "Erf", DType::kFloat, cluster::Level::kFull, {2}, 0, false};
  const cluster::CodeGain heavy = cluster::GainOfCode(functions, Registry::BuiltIn());
  CHECK(heavy.element == 0);
  CHECK(heavy.make > light.make);
}

}  // namespace millrace::testing
