// _UpdateMany: the updates of many variables as one step.
#include <algorithm>
#include <atomic>
#include <thread>

#include "millrace/proto/value/strings.h"
#include "millrace/tests/runtime/plan_builder.h"
#include "millrace/tests/test.h"

namespace millrace::testing {
namespace {

constexpr int kVariables = 32;

std::string VariableName(int i) { return Cat("w", i); }

// The attributes of a step that stands for ApplyGradientDescent of these nodes.
AttrMap UpdateAttrs(const std::vector<std::string>& nodes) {
  ListValue names, types;
  names.s = nodes;
  for (size_t i = 0; i < nodes.size(); ++i) {
    types.type.insert(types.type.end(), {MakeRef(DType::kFloat), DType::kFloat, DType::kFloat});
  }
  FuncValue update{"ApplyGradientDescent",
                   std::make_shared<AttrMap>(AttrMap{{"T", DType::kFloat}, {"use_locking", false}})};
  return {{"Tin", types}, {"nodes", names}, {"update", update}};
}

// init: every variable but those from `assigned` on is 0. step: each falls by the fed delta.
plan::Plan Descent(int64_t n, int assigned = kVariables) {
  PlanBuilder b;
  b.Signature("init");
  const uint32_t zero = b.Constant({n}, std::vector<float>(static_cast<size_t>(n), 0.f));
  for (int i = 0; i < assigned; ++i) {
    b.Step("Assign", Cat("init", i), {b.Variable(VariableName(i), {n}), zero}, {plan::kNone});
    b.block().steps.back().attrs = {{"T", DType::kFloat}};
  }
  b.Signature("step");
  const uint32_t delta = b.Feed("delta:0", {n}), rate = b.Constant({}, {1.f});
  std::vector<uint32_t> inputs;
  std::vector<std::string> nodes;
  for (int i = 0; i < kVariables; ++i) {
    inputs.insert(inputs.end(), {b.Variable(VariableName(i), {n}), rate, delta});
    nodes.push_back(Cat("update", i));
  }
  b.Step("_UpdateMany", nodes[0], inputs, {});
  b.block().steps.back().attrs = UpdateAttrs(nodes);
  b.Signature("read");
  for (int i = 0; i < kVariables; ++i) {
    const uint32_t v = b.Variable(VariableName(i), {n}), value = b.LateOf(Cat("read", i, ":0"), b.DimsOf(v));
    b.Step("Identity", Cat("read", i), {v}, {value});
    b.block().steps.back().attrs = {{"T", DType::kFloat}};
    b.Fetch(Cat("read", i, ":0"), value);
  }
  return b.plan;
}

// With the built-in ops.
std::unique_ptr<Runner> BuiltIn(plan::Plan plan, int threads) {
  EnvironmentOptions options;
  options.threads = threads;
  auto runner = NewPlanRunner(std::move(plan), std::make_shared<Environment>(options));
  MR_REQUIRE_OK(runner);
  return std::move(*runner);
}

}  // namespace

TEST_CASE("many updates in one step: callers at once lose none of them") {
  constexpr int64_t kSize = 1000;
  constexpr int kCallers = 2, kRuns = 20;
  for (int threads : {1, 3}) {
    auto runner = BuiltIn(Descent(kSize), threads);
    auto init = runner->Prepare("init"), step = runner->Prepare("step"), read = runner->Prepare("read");
    std::vector<Tensor> none;
    MR_REQUIRE_OK((*init)->Run({}, &none));
    std::atomic<int> wrong{0};
    std::vector<std::thread> callers;
    for (int c = 0; c < kCallers; ++c) {
      callers.emplace_back([&] {
        const Tensor delta = Tensor::Of<float>({kSize}, std::vector<float>(kSize, 1.f));
        std::vector<float> before(kVariables, 0.f);
        for (int i = 0; i < kRuns; ++i) {
          std::vector<Tensor> out;
          if (!(*step)->Run({delta}, &out).ok() || !(*read)->Run({}, &out).ok()) {
            ++wrong;
            return;
          }
          // Each variable whole, and past this caller's own update.
          for (size_t v = 0; v < kVariables; ++v) {
            const auto values = out[v].elements<float>();
            if (!std::all_of(values.begin(), values.end(), [&](float x) { return x == values[0]; })) ++wrong;
            if (values[0] > before[v] - 1.f) ++wrong;
            before[v] = values[0];
          }
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    CHECK(wrong == 0);
    std::vector<Tensor> last;
    MR_REQUIRE_OK((*read)->Run({}, &last));
    for (const Tensor& t : last) CHECK(t.elements<float>()[kSize - 1] == -kCallers * kRuns);
  }
}

TEST_CASE("many updates in one step: the one that fails is named") {
  for (int threads : {1, 3}) {
    auto runner = BuiltIn(Descent(4, /*assigned=*/kVariables - 2), threads);
    std::vector<Tensor> none, out;
    MR_REQUIRE_OK((*runner->Prepare("init"))->Run({}, &none));
    const Status status = (*runner->Prepare("step"))->Run({Tensor::Of<float>({4}, {1, 2, 3, 4})}, &out);
    CHECK(status.code() == Code::kFailedPrecondition);
    CHECK(status.ToString().find("node 'update30' (ApplyGradientDescent)") != std::string::npos);
    CHECK(status.ToString().find("'w30'") != std::string::npos);
  }
}

TEST_CASE("many updates in one step: what does not fit is refused when the plan is loaded or bound") {
  const auto refusal = [](const std::function<void(plan::Step&)>& change, std::vector<int64_t> fed = {4}) {
    plan::Plan plan = Descent(4);
    change(plan.blocks[1].steps[0]);
    EnvironmentOptions options;
    options.threads = 1;
    auto runner = NewPlanRunner(plan, std::make_shared<Environment>(options));
    if (!runner.ok()) return runner.status().ToString();
    std::vector<Tensor> out;
    return (*(*runner)->Prepare("step"))->Run({Tensor::Of<float>(Shape(fed), {1, 2, 3, 4})}, &out).ToString();
  };
  const auto op = [](std::string name) {
    return [name](plan::Step& s) { s.attrs["update"] = FuncValue{name, std::make_shared<AttrMap>()}; };
  };
  // An op that is not there, one that writes nothing, one that gives a value back.
  for (const char* name : {"NoSuchOp", "Add", "IsVariableInitialized", "_UpdateMany"}) {
    CHECK(refusal(op(name)).find("expected an op that writes variables") != std::string::npos);
  }
  CHECK(refusal(op("ApplyGradientDescent")).find("attribute 'T' is missing") != std::string::npos);
  CHECK(refusal([](plan::Step& s) {
          ListValue nodes = *s.attrs["nodes"].get<ListValue>();
          nodes.s.pop_back();
          s.attrs["nodes"] = nodes;
        }).find("expected 3 inputs for each of 31 nodes, found 96") != std::string::npos);
  CHECK(refusal([](plan::Step& s) {
          ListValue types = *s.attrs["Tin"].get<ListValue>();
          types.type[4] = DType::kDouble;
          s.attrs["Tin"] = types;
        }).find("expected double, found float") != std::string::npos);
  // The rate of the second update is no number.
  const std::string rank = refusal([](plan::Step& s) { s.inputs[4] = s.inputs[5]; });
  CHECK(rank.find("node 'update1' (ApplyGradientDescent)") != std::string::npos);
  CHECK(refusal([](plan::Step&) {}).find("FAILED_PRECONDITION") != std::string::npos);
}

}  // namespace millrace::testing
