// Training graphs with many small variables: joined updates give the bits, the
// order of reads and writes, and the errors of separate ones.
#include <cstring>

#include "millrace/proto/value/strings.h"
#include "millrace/runtime/session/session.h"
#include "millrace/tests/compiler/graphs.h"

namespace millrace {
namespace {

constexpr int kVariables = 6;

NodeDef Update(std::string name, std::string op, std::vector<std::string> inputs) {
  return N(std::move(name), std::move(op), std::move(inputs), {{"T", DType::kFloat}, {"use_locking", false}});
}

// Adam over variables, of which some are read before the updates, between and behind
// them; behind the updates its powers are multiplied up. "init" is for all variables
// but number `missing`.
std::vector<NodeDef> Training(int missing = -1) {
  std::vector<NodeDef> nodes{Input("g", Shape({7})), Floats("rate", Shape({}), {0.01f}),
                             Floats("beta1", Shape({}), {0.9f}), Floats("beta2", Shape({}), {0.999f}),
                             Floats("epsilon", Shape({}), {1e-8f})};
  std::vector<std::string> inits, updates;
  const auto variable = [&](const std::string& name, const Shape& shape, float value, bool is_set = true) {
    nodes.push_back(Var(name, shape));
    const auto count = static_cast<size_t>(shape.rank() == 0 ? 1 : shape.dim(0));
    nodes.push_back(Floats(name + "/value", shape, std::vector<float>(count, value)));
    nodes.push_back(Update(name + "/init", "Assign", {name, name + "/value"}));
    if (is_set) inits.push_back("^" + name + "/init");
  };
  variable("power1", Shape({}), 0.9f);
  variable("power2", Shape({}), 0.999f);
  for (int i = 0; i < kVariables; ++i) {
    const std::string w = Cat("w", i), m = w + "/m", v = w + "/v";
    variable(w, Shape({7}), 0.1f * static_cast<float>(i), i != missing);
    variable(m, Shape({7}), 0);
    variable(v, Shape({7}), 0);
    nodes.push_back(Floats(w + "/scale", Shape({}), {0.3f + static_cast<float>(i)}));
    nodes.push_back(Op1(w + "/decay", "Mul", {w, w + "/scale"}));
    nodes.push_back(Op1(w + "/grad", "AddV2", {"g", w + "/decay"}));
    nodes.push_back(Update(w + "/update", "ApplyAdam",
                           {w, m, v, "power1", "power2", "rate", "beta1", "beta2", "epsilon", w + "/grad"}));
    nodes.back().attrs["use_nesterov"] = false;
    updates.push_back("^" + w + "/update");
  }
  nodes.push_back(Op1("before", "Neg", {"w0"}));
  for (int p : {1, 2}) {
    std::vector<std::string> inputs{Cat("power", p), Cat("beta", p)};
    inputs.insert(inputs.end(), updates.begin(), updates.end());
    nodes.push_back(Op1(Cat("product", p), "Mul", inputs));
    nodes.push_back(Update(Cat("power", p, "/update"), "Assign", {Cat("power", p), Cat("product", p)}));
    updates.push_back(Cat("^power", p, "/update"));
  }
  // Behind the update of another variable, which says nothing about its own.
  nodes.push_back(N("between", "Identity", {"w1", "^w0/update"}, {{"T", DType::kFloat}}));
  std::vector<std::string> read{"w2"};
  read.insert(read.end(), updates.begin(), updates.end());
  nodes.push_back(N("after", "Identity", read, {{"T", DType::kFloat}}));
  nodes.push_back(N("init", "NoOp", inits));
  nodes.push_back(N("train", "NoOp", updates));
  return nodes;
}

std::unique_ptr<Session> NewSession(const std::shared_ptr<const Graph>& graph, int threads,
                                    std::vector<std::string> disabled) {
  SessionOptions options;
  options.threads = threads;
  options.disabled_passes = std::move(disabled);
  auto session = Session::New(graph, options);
  MR_REQUIRE_OK(session);
  return std::move(*session);
}

}  // namespace

TEST_CASE("joined updates: every bit of ten steps of Adam, and of what is read before and after each") {
  const std::shared_ptr<const Graph> graph = MakeGraph(Training());
  std::vector<std::string> fetches{"before:0", "between:0", "after:0"};
  const Tensor g = Tensor::Of<float>(Shape({7}), {0.5f, -0.25f, 0, -0.0f, 1e-30f, 3e20f, -1});
  std::vector<std::vector<Tensor>> runs[2];
  std::vector<Tensor> variables[2];
  for (int threads : {1, 2}) {
    for (int joined : {0, 1}) {
      auto session = NewSession(graph, threads, joined ? std::vector<std::string>{} : std::vector<std::string>{"all"});
      MR_REQUIRE_OK(session->Run({}, {}, {"init"}));
      runs[joined].clear();
      for (int step = 0; step < 10; ++step) {
        auto out = session->Run({{"g:0", g}}, fetches, {"train"});
        MR_REQUIRE_OK(out);
        runs[joined].push_back(std::move(*out));
      }
      std::vector<std::string> names{"power1:0", "power2:0"};
      for (int i = 0; i < kVariables; ++i) {
        for (const char* slot : {"", "/m", "/v"}) names.push_back(Cat("w", i, slot, ":0"));
      }
      auto all = session->Run({}, names);
      MR_REQUIRE_OK(all);
      variables[joined] = std::move(*all);
    }
    runs[0].push_back(std::move(variables[0]));
    runs[1].push_back(std::move(variables[1]));
    for (size_t r = 0; r < runs[0].size(); ++r) {
      for (size_t i = 0; i < runs[0][r].size(); ++i) {
        const auto a = runs[0][r][i].elements<float>(), b = runs[1][r][i].elements<float>();
        INFO("threads " << threads << ", run " << r << ", tensor " << i);
        REQUIRE(a.size() == b.size());
        CHECK(std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
      }
    }
    // What is read before is what was left the last time; the updates do something.
    CHECK(runs[1][0][0].elements<float>()[0] == 0);
    CHECK(runs[1][1][0].elements<float>()[0] != runs[1][0][0].elements<float>()[0]);
    CHECK(runs[1][0][1].elements<float>()[0] == 0.1f);
    CHECK(runs[1][0][2].elements<float>()[0] != 0.2f);
  }
}

TEST_CASE("joined updates: the error is that of the node, and the same as without") {
  const std::shared_ptr<const Graph> graph = MakeGraph(Training(/*missing=*/3));
  const Tensor g = Tensor::Of<float>(Shape({7}), std::vector<float>(7, 1));
  std::string errors[2];
  for (int joined : {0, 1}) {
    auto session = NewSession(graph, 1, joined ? std::vector<std::string>{} : std::vector<std::string>{"fuse-updates"});
    MR_REQUIRE_OK(session->Run({}, {}, {"init"}));
    // Its moments and gradient are there: only the update itself finds w3 without a value.
    auto out = session->Run({{"g:0", g}, {"w3/decay:0", g}}, {}, {"train"});
    errors[joined] = out.status().ToString();
  }
  CHECK(errors[1] == errors[0]);
  CHECK(errors[1].find("node 'w3/update' (ApplyAdam)") != std::string::npos);
}

}  // namespace millrace
