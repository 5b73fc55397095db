// The executor on plans made by hand.
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "millrace/proto/value/strings.h"
#include "millrace/tests/runtime/plan_builder.h"
#include "millrace/tests/test.h"

namespace millrace::testing {
namespace {

std::shared_ptr<Callable> Prepared(const Result<std::unique_ptr<Runner>>& runner, const std::string& name = "run") {
  MR_REQUIRE_OK(runner);
  Result<std::shared_ptr<Callable>> callable = (*runner)->Prepare(name);
  MR_REQUIRE_OK(callable);
  return *callable;
}
std::vector<float> Values(const Tensor& t) { return {t.elements<float>().begin(), t.elements<float>().end()}; }
using Floats = std::vector<float>;
Tensor Vec(Floats v) { return Tensor::Of<float>({static_cast<int64_t>(v.size())}, v); }
bool Contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

plan::Plan TinyAdd() {
  PlanBuilder b;
  const uint32_t a = b.Feed("a:0", {}), c = b.Feed("b:0", {});
  const uint32_t z = b.Slot("c:0", {});
  b.Step("Add", "c", {a, c}, {z});
  b.Fetch("c:0", z);
  return b.plan;
}

// x[n] + t[m], as an exported quadratic fit has it.
plan::Plan Meeting() {
  PlanBuilder b;
  const uint32_t x = b.Feed("x:0", {-1}), t = b.Feed("t:0", {-1});
  const uint32_t d = b.Expr(plan::DimOp::kBroadcast, b.DimsOf(x)[0], b.DimsOf(t)[0]);
  const uint32_t z = b.Slot("meet:0", {d});
  b.Step("Add", "meet", {x, t}, {z});
  b.Fetch("meet:0", z);
  return b.plan;
}

}  // namespace

TEST_CASE("a plan of one step runs, into new tensors and into the caller's memory") {
  auto runner = Load(TinyAdd());
  auto callable = Prepared(runner);
  CHECK(callable->feed_names() == std::vector<std::string>{"a:0", "b:0"});
  std::vector<Tensor> out;
  MR_REQUIRE_OK(callable->Run({Tensor::Scalar(2.f), Tensor::Scalar(3.f)}, &out));
  CHECK(Values(out[0]) == Floats{5});
  float a = 1, b = 10, c = 0;
  const TensorView feeds[] = {{&a, DType::kFloat, 0, nullptr, 1}, {&b, DType::kFloat, 0, nullptr, 1}};
  const TensorView outputs[] = {{&c, DType::kFloat, 0, nullptr, 1}};
  MR_REQUIRE_OK(callable->RunInto(feeds, outputs));
  CHECK(c == 11);
}

TEST_CASE("one plan serves every batch size, and a mismatch names the node") {
  auto runner = Load(Meeting());
  auto callable = Prepared(runner);
  std::vector<Tensor> out;
  MR_REQUIRE_OK(callable->Run({Vec({1, 2, 3, 4, 5}), Vec({5, 4, 3, 2, 1})}, &out));
  CHECK(Values(out[0]) == Floats{6, 6, 6, 6, 6});
  MR_REQUIRE_OK(callable->Run({Vec({1, 2, 3, 4, 5}), Vec({10})}, &out));
  CHECK(Values(out[0]) == Floats{11, 12, 13, 14, 15});
  MR_REQUIRE_OK(callable->Run({Vec({}), Vec({})}, &out));
  CHECK(out[0].shape() == Shape({0}));
  const Status bad = callable->Run({Vec({1, 2, 3, 4, 5}), Vec({1, 2, 3})}, &out);
  CHECK(bad.code() == Code::kInvalidArgument);
  CHECK(bad.node() == "meet");
  CHECK(bad.op() == "Add");
  CHECK(Contains(bad.message(), "5"));
  CHECK(Contains(bad.message(), "3"));
  // And the callable still works.
  MR_REQUIRE_OK(callable->Run({Vec({1}), Vec({1})}, &out));
  CHECK(Values(out[0]) == Floats{2});
}

TEST_CASE("more shapes than bindings are kept still run right") {
  auto runner = Load(Meeting());
  auto callable = Prepared(runner);
  for (int round = 0; round < 2; ++round) {
    for (int n = 1; n < 40; ++n) {
      std::vector<Tensor> out;
      MR_REQUIRE_OK(callable->Run({Vec(Floats(static_cast<size_t>(n), 1.f)), Vec({2})}, &out));
      CHECK(Values(out[0]) == Floats(static_cast<size_t>(n), 3.f));
    }
  }
}

TEST_CASE("bad feeds and outputs are told before anything runs") {
  auto runner = Load(TinyAdd());
  auto callable = Prepared(runner);
  std::vector<Tensor> out;
  Status bad = callable->Run({Tensor::Scalar(2.f)}, &out);
  CHECK(bad.code() == Code::kInvalidArgument);
  CHECK(Contains(bad.message(), "expected 2 feeds"));
  bad = callable->Run({Tensor::Scalar(2.f), Tensor::Scalar(int32_t{3})}, &out);
  CHECK(Contains(bad.message(), "feed 'b:0': expected float, found int32"));
  bad = callable->Run({Tensor::Scalar(2.f), Vec({1, 2})}, &out);
  CHECK(Contains(bad.message(), "feed 'b:0': expected shape [], found [2]"));
  float a = 1;
  const int64_t two = 2;
  const TensorView scalar{&a, DType::kFloat, 0, nullptr, 1};
  const TensorView feeds[] = {scalar, scalar};
  const TensorView wrong[] = {{&a, DType::kFloat, 1, &two, 2}};
  bad = callable->RunInto(feeds, wrong);
  CHECK(Contains(bad.message(), "output for fetch 'c:0'"));
}

TEST_CASE("outputs may lie over feeds") {
  PlanBuilder b;
  const uint32_t x = b.Feed("x:0", {3});
  const uint32_t s = b.Slot("s:0", b.DimsOf(x)), z = b.Slot("z:0", b.DimsOf(x));
  b.Step("Add", "s", {x, x}, {s});
  b.Step("Add", "z", {s, x}, {z});
  b.Fetch("s:0", s);
  b.Fetch("z:0", z);
  auto runner = Load(b.plan);
  auto callable = Prepared(runner);
  float in[3] = {1, 2, 3}, out[3];
  const int64_t three = 3;
  const TensorView feed{in, DType::kFloat, 1, &three, 3}, other{out, DType::kFloat, 1, &three, 3};
  // s goes over x, which z still needs.
  const TensorView outputs[] = {feed, other};
  MR_REQUIRE_OK(callable->RunInto({&feed, 1}, outputs));
  CHECK(Floats(in, in + 3) == Floats{2, 4, 6});
  CHECK(Floats(out, out + 3) == Floats{3, 6, 9});
}

TEST_CASE("feeds, constants, aliases, extents and repeated fetches can be fetched") {
  PlanBuilder b;
  const uint32_t x = b.Feed("x:0", {-1, 2});
  const uint32_t n = b.DimsOf(x)[0];
  const uint32_t c = b.Constant({2}, {10, 20});
  const uint32_t z = b.Slot("z:0", b.DimsOf(x));
  b.Step("Add", "z", {x, c}, {z});
  const uint32_t flat = b.Alias("flat:0", z, {b.Expr(plan::DimOp::kMul, n, b.Const(2))});
  const uint32_t e = b.Extents("shape:0", {n, b.Const(2)});
  for (uint32_t v : {x, c, z, flat, flat, e}) b.Fetch("f", v);
  auto runner = Load(b.plan);
  auto callable = Prepared(runner);
  std::vector<Tensor> out;
  MR_REQUIRE_OK(callable->Run({Tensor::Of<float>({2, 2}, {1, 2, 3, 4})}, &out));
  CHECK(Values(out[0]) == Floats{1, 2, 3, 4});
  CHECK(Values(out[1]) == Floats{10, 20});
  CHECK(Values(out[2]) == Floats{11, 22, 13, 24});
  CHECK(out[3].shape() == Shape({4}));
  CHECK(Values(out[3]) == Floats{11, 22, 13, 24});
  CHECK(Values(out[4]) == Values(out[3]));
  CHECK(out[5].elements<int32_t>()[0] == 2);
  CHECK(out[5].elements<int32_t>()[1] == 2);
  for (size_t i = 0; i < out.size(); ++i) {
    for (size_t j = 0; j < i; ++j) CHECK(out[i].data() != out[j].data());
  }
}

TEST_CASE("sizes that come during the run are checked and released") {
  PlanBuilder b;
  const uint32_t x = b.Feed("x:0", {-1}), y = b.Feed("y:0", {-1});
  const uint32_t p = b.LateOf("p:0", {plan::kNone}), sum = b.Late("sum:0");
  b.Step("Positive", "p", {x}, {p});
  b.Step("Add", "sum", {p, y}, {sum});
  b.Fetch("sum:0", sum);
  for (int threads : {1, 3}) {
    auto runner = Load(b.plan, threads);
    auto callable = Prepared(runner);
    std::vector<Tensor> out;
    MR_REQUIRE_OK(callable->Run({Vec({-1, 2, -3, 4}), Vec({10, 20})}, &out));
    CHECK(Values(out[0]) == Floats{12, 24});
    MR_REQUIRE_OK(callable->Run({Vec({-1, -2, -3, -4}), Vec({})}, &out));
    CHECK(out[0].num_elements() == 0);
    const Status bad = callable->Run({Vec({1, 2, 3}), Vec({10, 20})}, &out);
    CHECK(bad.node() == "sum");
    CHECK(bad.code() == Code::kInvalidArgument);
  }
}

TEST_CASE("outputs that nobody wants have memory all the same") {
  PlanBuilder b;
  const uint32_t x = b.Feed("x:0", {-1});
  const uint32_t down = b.Slot("pair:1", b.DimsOf(x));
  b.Step("Pair", "pair", {x}, {plan::kNone, down});
  b.Fetch("pair:1", down);
  auto runner = Load(b.plan);
  auto callable = Prepared(runner);
  std::vector<Tensor> out;
  MR_REQUIRE_OK(callable->Run({Vec({1, 2, 3})}, &out));
  CHECK(Values(out[0]) == Floats{0, 1, 2});
}

TEST_CASE("the first error stops the run and carries node and op") {
  for (int threads : {1, 2, 4}) {
    PlanBuilder b;
    const uint32_t x = b.Feed("x:0", {300000});
    std::vector<uint32_t> made;
    for (int i = 0; i < 8; ++i) {
      made.push_back(b.Slot(Cat("v", i, ":0"), b.DimsOf(x)));
      b.Step(i == 3 ? "Fail" : "Identity", Cat("v", i), {x}, {made.back()});
    }
    const uint32_t z = b.Slot("z:0", b.DimsOf(x));
    b.Step("Add", "z", {made[3], made[4]}, {z});
    b.Fetch("z:0", z);
    auto runner = Load(b.plan, threads);
    auto callable = Prepared(runner);
    std::vector<Tensor> out;
    const Status status = callable->Run({Vec(Floats(300000, 1.f))}, &out);
    CHECK(status.code() == Code::kOutOfRange);
    CHECK(status.node() == "v3");
    CHECK(status.op() == "Fail");
    CHECK(out.empty());
  }
}

TEST_CASE("a run can be cancelled, and has a deadline") {
  PlanBuilder b;
  const uint32_t x = b.Feed("x:0", {});
  const uint32_t y = b.Slot("y:0", {});
  b.Step("Slow", "y", {x}, {y});
  b.Fetch("y:0", y);
  auto runner = Load(b.plan);
  auto callable = Prepared(runner);
  std::vector<Tensor> out;
  CancelToken before;
  before.Cancel();
  CHECK(callable->Run({Tensor::Scalar(1.f)}, &out, {.cancel = &before}).code() == Code::kCancelled);
  CancelToken token;
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    token.Cancel();
  });
  CHECK(callable->Run({Tensor::Scalar(1.f)}, &out, {.cancel = &token}).code() == Code::kCancelled);
  other.join();
  // A step that nobody stopped ends with another error.
  const Status late = callable->Run({Tensor::Scalar(1.f)}, &out, {.timeout_ms = 20});
  CHECK((late.code() == Code::kDeadlineExceeded || late.code() == Code::kCancelled));
}

TEST_CASE("after its deadline a run begins no other step") {
  constexpr int kSteps = 8, kLast = 2;
  PlanBuilder b;
  std::vector<uint32_t> v = {b.Feed("x:0", {-1})};
  for (int i = 0; i < kSteps; ++i) {
    v.push_back(b.Slot(Cat("v", i, ":0"), b.DimsOf(v[0])));
    b.Step("Identity", Cat("v", i), {v[static_cast<size_t>(i)]}, {v.back()});
  }
  b.Fetch("y:0", v.back());
  auto environment = TestEnvironment(1);
  int reached = 0;
  environment->before_step = [&](std::string_view node) {
    ++reached;
    if (node == Cat("v", kLast)) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  };
  auto runner = NewPlanRunner(b.plan, environment);
  auto callable = Prepared(runner);
  std::vector<Tensor> out;
  const Status late = callable->Run({Vec({1})}, &out, {.timeout_ms = 1});
  CHECK(late.code() == Code::kDeadlineExceeded);
  CHECK(reached <= kLast + 1);
  CHECK(out.empty());
  reached = 0;
  MR_REQUIRE_OK(callable->Run({Vec({1})}, &out));
  CHECK(reached == kSteps);
}

TEST_CASE("step statistics name every step") {
  auto runner = Load(TinyAdd());
  auto callable = Prepared(runner);
  std::vector<Tensor> out;
  RunMetadata metadata;
  MR_REQUIRE_OK(
      callable->Run({Tensor::Scalar(2.f), Tensor::Scalar(3.f)}, &out, {.collect_step_stats = true}, &metadata));
  REQUIRE(metadata.steps.size() == 1);
  CHECK(metadata.steps[0].node == "c");
  CHECK(metadata.steps[0].op == "Add");
  CHECK(metadata.steps[0].device == "/device:CPU:0");
  CHECK(metadata.steps[0].end_ns >= metadata.steps[0].start_ns);
  CHECK(metadata.steps[0].step == 0);
  CHECK(metadata.steps[0].bytes == 3 * sizeof(float));
  CHECK(metadata.steps[0].flops == 0);
}

TEST_CASE("any number of threads gives the same bits") {
  PlanBuilder b;
  const uint32_t x = b.Feed("x:0", {-1});
  std::vector<uint32_t> level = {x};
  // A lattice: every step uses two of the level before.
  for (int l = 0; l < 6; ++l) {
    std::vector<uint32_t> next;
    for (int i = 0; i < 5; ++i) {
      const uint32_t w = b.Slot(Cat("w", l, i, ":0"), b.DimsOf(x)), s = b.Slot(Cat("s", l, i, ":0"), b.DimsOf(x));
      b.Step("Work", Cat("w", l, i), {level[static_cast<size_t>(i) % level.size()]}, {w});
      b.Step(i % 2 ? "Add" : "Mul", Cat("s", l, i), {w, level[static_cast<size_t>(i + 1) % level.size()]}, {s});
      next.push_back(s);
    }
    level = next;
  }
  for (uint32_t v : level) b.Fetch("v", v);
  Floats in(30000);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i % 17) * 0.37f - 1;
  std::vector<Tensor> expected;
  for (int threads : {1, 2, 4}) {
    auto runner = Load(b.plan, threads);
    auto callable = Prepared(runner);
    for (int round = 0; round < 3; ++round) {
      std::vector<Tensor> out;
      MR_REQUIRE_OK(callable->Run({Vec(in)}, &out));
      if (expected.empty()) expected = out;
      for (size_t i = 0; i < out.size(); ++i) {
        CHECK(std::memcmp(out[i].data(), expected[i].data(), out[i].bytes()) == 0);
      }
    }
  }
}

TEST_CASE("one thread means the caller's") {
  const auto count = [] {
    const auto tasks = std::filesystem::directory_iterator("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  const auto before = count();
  auto runner = Load(Meeting(), 1);
  auto callable = Prepared(runner);
  std::vector<Tensor> out;
  MR_REQUIRE_OK(callable->Run({Vec(Floats(100000, 1.f)), Vec({1})}, &out));
  CHECK(count() == before);
}

TEST_CASE("a memory limit is an error, not a crash") {
  auto runner = Load(Meeting(), 1, 1 << 20);
  auto callable = Prepared(runner);
  std::vector<Tensor> out;
  const Status bad = callable->Run({Vec(Floats(1000000, 1.f)), Vec({1})}, &out);
  CHECK(bad.code() == Code::kResourceExhausted);
  MR_REQUIRE_OK(callable->Run({Vec({1}), Vec({1})}, &out));
  CHECK(Values(out[0]) == Floats{2});
}

TEST_CASE("wherever memory ends, the run says so, and runs again when there is enough") {
  PlanBuilder b;
  const uint32_t x = b.Feed("x:0", {-1});
  const uint32_t w = b.Slot("w:0", b.DimsOf(x)), up = b.Slot("up:0", b.DimsOf(x));
  const uint32_t p = b.LateOf("p:0", {plan::kNone});
  b.Step("Work", "w", {x}, {w});
  b.Step("Pair", "pair", {w}, {up, plan::kNone});
  b.Step("Positive", "p", {up}, {p});
  b.Fetch("p:0", p);
  b.Fetch("up:0", up);
  int failed = 0, ran = 0;
  for (uint64_t limit = 1; limit < 40000; limit += 500) {
    auto runner = Load(b.plan, 1, limit);
    if (!runner.ok()) continue;
    auto callable = Prepared(runner);
    std::vector<Tensor> out;
    const Status status = callable->Run({Vec(Floats(1000, 1.f))}, &out);
    if (status.ok()) {
      ++ran;
      CHECK(Values(out[0]) == Floats(1000, 2.5f));
    } else {
      ++failed;
      CHECK(status.code() == Code::kResourceExhausted);
      CHECK(out.empty());
    }
    // A smaller run fits even then, once the limit lets any run.
    const Status small = callable->Run({Vec({1, 2})}, &out);
    CHECK((small.ok() || small.code() == Code::kResourceExhausted));
    if (limit > 20000) CHECK(small.ok());
  }
  CHECK(failed > 3);
  CHECK(ran > 3);
}

TEST_CASE("variables outlive runs, and reads are snapshots") {
  PlanBuilder b;
  b.Signature("init");
  {
    const uint32_t v = b.Variable("v", {2}), c = b.Constant({2}, {1, 2});
    b.Step("Assign", "init", {v, c}, {plan::kNone});
  }
  b.Signature("step");
  {
    const uint32_t v = b.Variable("v", {2}), d = b.Feed("d:0", {2});
    const uint32_t before = b.LateOf("before:0", {b.Const(2)}), after = b.LateOf("after:0", {b.Const(2)});
    const uint32_t twice = b.Slot("twice:0", {b.Const(2)});
    const uint32_t read = b.Step("Identity", "before", {v}, {before});
    // A reference where a tensor is wanted is read where it stands.
    const uint32_t sum = b.Step("Add", "twice", {v, before}, {twice});
    const uint32_t write = b.Step("AssignAdd", "add", {v, d}, {plan::kNone}, {read, sum});
    b.Step("Identity", "after", {v}, {after}, {write});
    b.Fetch("before:0", before);
    b.Fetch("twice:0", twice);
    b.Fetch("after:0", after);
  }
  for (int threads : {1, 2}) {
    auto runner = Load(b.plan, threads);
    auto step = Prepared(runner, "step");
    std::vector<Tensor> out;
    const Status early = step->Run({Vec({1, 1})}, &out);
    CHECK(early.code() == Code::kFailedPrecondition);
    CHECK(early.node() == "before");
    auto init = Prepared(runner, "init");
    MR_REQUIRE_OK(init->Run({}, &out));
    for (float i = 0; i < 3; ++i) {
      MR_REQUIRE_OK(step->Run({Vec({1, 10})}, &out));
      CHECK(Values(out[0]) == Floats{1 + i, 2 + 10 * i});
      CHECK(Values(out[1]) == Floats{2 + 2 * i, 4 + 20 * i});
      CHECK(Values(out[2]) == Floats{2 + i, 12 + 10 * i});
    }
  }
}

TEST_CASE("branches, loops and calls run their blocks") {
  PlanBuilder b;
  const uint32_t p = b.Feed("p:0", {}, DType::kBool), x = b.Feed("x:0", {-1}), n = b.Feed("n:0", {});
  const uint32_t y = b.Late("if:0"), i0 = b.Constant({}, {0}), last = b.Late("while:0"), grown = b.Late("while:1");
  b.Step("If", "if", {p, x}, {y});
  b.block().steps.back().kind = plan::StepKind::kIf;
  b.block().steps.back().blocks = {1, 2};
  b.Step("While", "while", {i0, y, n}, {last, grown, plan::kNone});
  b.block().steps.back().kind = plan::StepKind::kWhile;
  b.block().steps.back().blocks = {3, 4};
  b.Fetch("while:0", last);
  b.Fetch("while:1", grown);
  const auto block = [&](const char* name) {
    b.plan.blocks.emplace_back();
    b.block().name = name;
  };
  const auto argument = [&](DType dtype) {
    plan::Value v;
    v.dtype = dtype;
    v.storage = plan::Storage::kFeed;
    v.unknown_rank = true;
    v.index = static_cast<uint32_t>(b.block().arguments.size());
    b.block().values.push_back(v);
    b.block().arguments.push_back(static_cast<uint32_t>(b.block().values.size() - 1));
    return b.block().arguments.back();
  };
  for (const char* op : {"Add", "Mul"}) {
    block(op);
    const uint32_t a = argument(DType::kFloat), r = b.Late("r");
    b.Step(op, op, {a, a}, {r});
    b.block().results = {r};
  }
  block("condition");
  {
    const uint32_t i = argument(DType::kFloat);
    argument(DType::kFloat);
    const uint32_t limit = argument(DType::kFloat), less = b.Late("less", DType::kBool);
    b.Step("Less", "less", {i, limit}, {less});
    b.block().results = {less};
  }
  block("body");
  {
    const uint32_t i = argument(DType::kFloat), v = argument(DType::kFloat), limit = argument(DType::kFloat);
    const uint32_t one = b.Constant({}, {1}), next = b.Late("next"), w = b.Late("w");
    b.Step("Add", "next", {i, one}, {next});
    b.Step("Add", "w", {v, one}, {w});
    b.block().results = {next, w, limit};
  }
  auto runner = Load(b.plan);
  auto callable = Prepared(runner);
  std::vector<Tensor> out;
  MR_REQUIRE_OK(callable->Run({Tensor::Scalar(true), Vec({3, 4}), Tensor::Scalar(5.f)}, &out));
  CHECK(Values(out[0]) == Floats{5});
  CHECK(Values(out[1]) == Floats{11, 13});
  MR_REQUIRE_OK(callable->Run({Tensor::Scalar(false), Vec({3, 4}), Tensor::Scalar(0.f)}, &out));
  CHECK(Values(out[1]) == Floats{9, 16});
}

TEST_CASE("plans that cannot run are refused when they are loaded, by node") {
  const auto refused = [](const plan::Plan& plan, std::string_view node, std::string_view part) {
    Result<std::unique_ptr<Runner>> runner = Load(plan);
    REQUIRE(!runner.ok());
    INFO(runner.status().ToString());
    CHECK(runner.status().node() == node);
    CHECK(Contains(runner.status().ToString(), part));
  };
  plan::Plan p = TinyAdd();
  p.blocks[0].steps[0].op = "Unheard";
  refused(p, "c", "op 'Unheard' is not known");
  p = TinyAdd();
  p.blocks[0].steps[0].op = "NoKernel";
  p.blocks[0].steps[0].inputs.pop_back();
  refused(p, "c", "no kernel");
  p = TinyAdd();
  p.blocks[0].steps[0].inputs.push_back(0);
  refused(p, "c", "expected 2 inputs, found 3");
  p = TinyAdd();
  p.blocks[0].steps[0].inputs[1] = 2;
  refused(p, "c", "no earlier step produces it");
  p = TinyAdd();
  p.blocks[0].values[2].dtype = DType::kInt32;
  refused(p, "c", "expected float, found int32");
  p = TinyAdd();
  p.blocks[0].steps[0].outputs[0] = 0;
  refused(p, "c", "expected a slot or a late value");
  p = TinyAdd();
  p.blocks[0].steps.push_back(p.blocks[0].steps[0]);
  refused(p, "c", "produces it already");
  p = TinyAdd();
  p.blocks[0].steps.clear();
  refused(p, "", "no step produces it");
  p = TinyAdd();
  p.blocks[0].steps[0].after = {0};
  refused(p, "c", "waits for step 0");
  p = TinyAdd();
  p.devices[0].kind = "TPU";
  refused(p, "", "TPU");
  p = TinyAdd();
  p.blocks[0].values[2].storage = plan::Storage::kAlias;
  p.blocks[0].values[2].index = 2;
  refused(p, "", "alias of itself");
}

TEST_CASE("a slot is not read after another value took it") {
  PlanBuilder b;
  const uint32_t x = b.Feed("x:0", {2});
  const uint32_t slot = b.NewSlot(b.DimsOf(x));
  const uint32_t p = b.InSlot(slot, "p:0", b.DimsOf(x)), q = b.InSlot(slot, "q:0", b.DimsOf(x));
  const uint32_t z = b.Slot("z:0", b.DimsOf(x));
  b.Step("Add", "p", {x, x}, {p});
  b.Step("Add", "q", {x, x}, {q});
  b.Step("Add", "z", {p, q}, {z});
  b.Fetch("z:0", z);
  Result<std::unique_ptr<Runner>> runner = Load(b.plan);
  REQUIRE(!runner.ok());
  CHECK(runner.status().node() == "z");
}

TEST_CASE("a value that does not fit its slot is refused") {
  PlanBuilder b;
  const uint32_t x = b.Feed("x:0", {-1});
  const uint32_t slot = b.NewSlot({b.Const(4)});
  const uint32_t z = b.InSlot(slot, "z:0", b.DimsOf(x));
  b.Step("Add", "z", {x, x}, {z});
  b.Fetch("z:0", z);
  auto runner = Load(b.plan);
  auto callable = Prepared(runner);
  std::vector<Tensor> out;
  MR_REQUIRE_OK(callable->Run({Vec({1, 2, 3, 4})}, &out));
  const Status bad = callable->Run({Vec({1, 2, 3, 4, 5})}, &out);
  CHECK(bad.node() == "z");
  CHECK(Contains(bad.message(), "slot"));
}

TEST_CASE("concurrent runs of one callable do not mix") {
  for (int threads : {1, 2}) {
    auto runner = Load(Meeting(), threads);
    auto callable = Prepared(runner);
    std::vector<std::thread> callers;
    std::atomic<int> wrong{0};
    for (int t = 0; t < 4; ++t) {
      callers.emplace_back([&, t] {
        for (int i = 0; i < 200; ++i) {
          const size_t n = static_cast<size_t>(1 + (t + i) % 5);
          std::vector<Tensor> out;
          const Status s = callable->Run({Vec(Floats(n, static_cast<float>(t))), Vec({static_cast<float>(i)})}, &out);
          if (!s.ok() || Values(out[0]) != Floats(n, static_cast<float>(t + i))) ++wrong;
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    CHECK(wrong == 0);
  }
}

}  // namespace millrace::testing
