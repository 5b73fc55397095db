// What machine code for clusters gains, and what making it takes:
//   code_bench [CASE]...
// For each case the time of a run with the ops' bodies and with code, in one thread,
// interleaved, the best of several rounds; then the milliseconds that a kernel took
// the compiler, the first time in this process and afterwards, and how they part into
// MLIR and LLVM; and what the cost model expects. Compare ratios, machines differ.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "millrace/compiler/api/compile.h"
#include "millrace/ops/cluster/gain.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/executor/plan_runner.h"
#include "millrace/tools/bench/timing.h"

namespace millrace {
namespace {

void Check(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

// A graph over feeds of floats.
struct Made {
  GraphDef def;
  SignatureSpec spec;
  std::vector<Tensor> feeds;
  int64_t ops = 0;

  std::string Add(std::string op, std::vector<std::string> inputs, AttrMap attrs = {}) {
    NodeDef n;
    n.name = Cat("n", def.nodes.size());
    n.op = std::move(op);
    n.inputs = std::move(inputs);
    n.attrs = std::move(attrs);
    def.nodes.push_back(std::move(n));
    return def.nodes.back().name;
  }
  std::string Op(std::string op, std::vector<std::string> inputs) {
    ++ops;
    return Add(std::move(op), std::move(inputs), {{"T", DType::kFloat}});
  }
  std::string Feed(const Shape& shape) {
    Result<Tensor> t = Tensor::New(DType::kFloat, shape, HostAllocator());
    Check(t.status());
    uint32_t seed = static_cast<uint32_t>(feeds.size()) + 1;
    for (float& v : t->elements<float>()) {
      seed = seed * 1664525 + 1013904223;
      v = static_cast<float>(seed >> 8) * 0x1p-23F - 1;
    }
    feeds.push_back(std::move(*t));
    const std::string name = Add("Placeholder", {}, {{"dtype", DType::kFloat}, {"shape", shape}});
    spec.feeds.push_back(name + ":0");
    return name;
  }
  std::string Scalar(float value) {
    TensorValue t;
    t.dtype = DType::kFloat;
    t.float_val = {value};
    return Add("Const", {}, {{"dtype", DType::kFloat}, {"value", std::move(t)}});
  }
  std::string Mean(const std::string& of) {
    ++ops;
    TensorValue t;
    t.dtype = DType::kInt32;
    t.shape = Shape({1});
    t.int_val = {-1};
    const std::string axes = Add("Const", {}, {{"dtype", DType::kInt32}, {"value", std::move(t)}});
    return Add("Mean", {of, axes}, {{"T", DType::kFloat}, {"Tidx", DType::kInt32}, {"keep_dims", true}});
  }
};

std::string Gelu(Made& g, int64_t rows) {
  const std::string x = g.Feed({rows, 1024}), bias = g.Feed({1024}), residual = g.Feed({rows, 1024});
  const std::string h = g.Op("AddV2", {x, bias});
  const std::string cube = g.Op("Mul", {g.Op("Mul", {h, h}), h});
  const std::string inner = g.Op("AddV2", {h, g.Op("Mul", {cube, g.Scalar(0.044715F)})});
  const std::string tanh = g.Op("Tanh", {g.Op("Mul", {inner, g.Scalar(0.79788456F)})});
  const std::string gelu = g.Op("Mul", {g.Op("Mul", {h, g.Scalar(0.5F)}), g.Op("AddV2", {tanh, g.Scalar(1)})});
  return g.Op("AddV2", {gelu, residual});
}

std::string LayerNorm(Made& g, int64_t rows, int64_t columns) {
  const std::string x = g.Feed({rows, columns}), gamma = g.Feed({columns}), beta = g.Feed({columns});
  const std::string centred = g.Op("Sub", {x, g.Mean(x)});
  const std::string variance = g.Mean(g.Op("Square", {centred}));
  const std::string scale = g.Op("Rsqrt", {g.Op("AddV2", {variance, g.Scalar(1e-5F)})});
  return g.Op("AddV2", {g.Op("Mul", {g.Op("Mul", {centred, scale}), gamma}), beta});
}

// `ops` one after the other.
std::string Chain(Made& g, const Shape& shape, const std::vector<const char*>& ops) {
  const std::string feed = g.Feed(shape), other = g.Scalar(0.25F);
  std::string at = feed;
  for (const char* op : ops) {
    const bool two = std::string(op) == "Mul" || std::string(op) == "AddV2";
    at = g.Op(op, two ? std::vector<std::string>{at, other} : std::vector<std::string>{at});
  }
  return at;
}

std::string Cheap(Made& g, int64_t elements, int count) {
  std::vector<const char*> ops;
  for (int i = 0; i < count; ++i) ops.push_back(i % 2 == 0 ? "Mul" : "AddV2");
  return Chain(g, {elements}, ops);
}

// Many inputs at a time: what vector registers are short of.
std::string Wide(Made& g, int64_t elements, int count) {
  std::vector<std::string> values;
  const std::string feed = g.Feed({elements});
  for (int i = 0; i < count; ++i) values.push_back(g.Op("Mul", {feed, g.Scalar(static_cast<float>(i + 1))}));
  while (values.size() > 1) {
    std::vector<std::string> next;
    for (size_t i = 0; i + 1 < values.size(); i += 2) next.push_back(g.Op("AddV2", {values[i], values[i + 1]}));
    if (values.size() % 2 == 1) next.push_back(values.back());
    values = std::move(next);
  }
  return values[0];
}

plan::Plan Planned(const Graph& graph, const SignatureSpec& spec) {
  Result<plan::Plan> plan = Compile(graph, {spec});
  Check(plan.status());
  return std::move(*plan);
}

// A plan that is ready to run.
class Ready {
 public:
  Ready(plan::Plan plan, const Made& made) : feeds_(made.feeds) {
    const std::string name = made.spec.name;
    Result<std::unique_ptr<Runner>> runner =
        NewPlanRunner(std::move(plan), std::make_shared<Environment>(EnvironmentOptions{.threads = 1}));
    Check(runner.status());
    runner_ = std::move(*runner);
    Result<std::shared_ptr<Callable>> callable = runner_->Prepare(name);
    Check(callable.status());
    callable_ = std::move(*callable);
    Check(callable_->Run(feeds_, &results_));
    for (const Tensor& t : feeds_) feed_views_.push_back(t.view());
    for (const Tensor& t : results_) result_views_.push_back(t.view());
  }
  void Run() { Check(callable_->RunInto(feed_views_, result_views_)); }

 private:
  std::unique_ptr<Runner> runner_;
  std::shared_ptr<Callable> callable_;
  std::vector<Tensor> feeds_, results_;
  std::vector<TensorView> feed_views_, result_views_;
};

void Measure(const std::string& name, const std::function<std::string(Made&)>& make) {
  Made made;
  made.def.has_versions = true;
  made.def.versions.producer = 1882;
  made.spec.fetches = {make(made) + ":0"};
  const int64_t elements = made.feeds[0].num_elements();
  Graph graph;
  Check(graph.Import(made.def));
  CodeOptions options;
  options.codegen = Codegen::kOn;
  options.threads = 1;
  CodeReport first, warm;
  plan::Plan coded = Planned(graph, made.spec);
  Check(AttachCode(&coded, graph.registry(), options, &first));
  for (int i = 0; i < 3; ++i) {
    plan::Plan again = Planned(graph, made.spec);
    CodeReport report;
    Check(AttachCode(&again, graph.registry(), options, &report));
    if (i == 0 || report.mlir_us + report.llvm_us < warm.mlir_us + warm.llvm_us) warm = report;
  }
  if (first.attached == 0) {
    std::printf("%-28s no code: %s\n", name.c_str(),
                first.no_library ? "the library is not there" : "left to the bodies");
    return;
  }
  cluster::CodeGain gain;
  for (const plan::Step& step : coded.blocks[0].steps) {
    if (step.op != cluster::kClusterOp) continue;
    const Result<cluster::Program> program = cluster::FromAttrs(step.attrs);
    Check(program.status());
    const cluster::CodeGain of = cluster::GainOfCode(*program, graph.registry());
    gain.run += of.run, gain.element += of.element, gain.make += of.make;
  }
  Ready bodies(Planned(graph, made.spec), made), code(std::move(coded), made);
  const auto [best_bodies, best_code] = bench::Compare([&] { bodies.Run(); }, [&] { code.Run(); });
  const double pieces = std::max(1, warm.compiled);
  const auto ms = [&](const CodeReport& r) { return (r.mlir_us + r.llvm_us) / pieces / 1000; };
  std::printf(
      "%-28s bodies %9.2f us  code %9.2f us  ratio %5.2f  %7.4f ns/element and op | compile first %6.1f ms  then %5.1f "
      "ms"
      " (MLIR %.1f) expected %.1f | saved %.2f us, expected %.2f\n",
      name.c_str(), best_bodies, best_code, best_bodies / best_code,
      (best_bodies - best_code) * 1000 / static_cast<double>(elements * made.ops), ms(first), ms(warm),
      warm.mlir_us / pieces / 1000, gain.make / 1000, best_bodies - best_code, gain.Of(elements));
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  using namespace millrace;
  const std::vector<const char*> five = {"Tanh", "Exp", "Sigmoid", "Log1p", "Erf"};
  const std::vector<std::pair<std::string, std::function<std::string(Made&)>>> cases = {
      {"gelu 4K", [](Made& g) { return Gelu(g, 4); }},
      {"gelu 1M", [](Made& g) { return Gelu(g, 1024); }},
      {"layernorm 1024x768", [](Made& g) { return LayerNorm(g, 1024, 768); }},
      {"layernorm 8192x64", [](Made& g) { return LayerNorm(g, 8192, 64); }},
      {"tanh 64K", [](Made& g) { return Chain(g, {1 << 16}, {"Tanh", "Mul"}); }},
      {"two functions 64K", [](Made& g) { return Chain(g, {1 << 16}, {"Tanh", "Exp"}); }},
      {"five functions 4K", [&](Made& g) { return Chain(g, {1 << 12}, five); }},
      {"five functions 64K", [&](Made& g) { return Chain(g, {1 << 16}, five); }},
      {"five functions 1M", [&](Made& g) { return Chain(g, {1 << 20}, five); }},
      {"10 cheap ops 100", [](Made& g) { return Cheap(g, 100, 10); }},
      {"10 cheap ops 1000", [](Made& g) { return Cheap(g, 1000, 10); }},
      {"10 cheap ops 64K", [](Made& g) { return Cheap(g, 1 << 16, 10); }},
      {"10 cheap ops 1M", [](Made& g) { return Cheap(g, 1 << 20, 10); }},
      {"3 cheap ops 1M", [](Made& g) { return Cheap(g, 1 << 20, 3); }},
      {"48 products, a sum 64K", [](Made& g) { return Wide(g, 1 << 16, 48); }},
      {"500 cheap ops 1000", [](Made& g) { return Cheap(g, 1000, 500); }},
      {"400 functions 1000", [](Made& g) { return Chain(g, {1000}, std::vector<const char*>(400, "Sigmoid")); }},
      {"4000 functions 1000", [](Made& g) { return Chain(g, {1000}, std::vector<const char*>(4000, "Sigmoid")); }},
      {"4000 cheap ops 1000", [](Made& g) { return Cheap(g, 1000, 4000); }},
  };
  for (const auto& [name, make] : cases) {
    bool wanted = argc < 2;
    for (int i = 1; i < argc; ++i) wanted = wanted || name.find(argv[i]) != std::string::npos;
    if (wanted) Measure(name, make);
  }
  return 0;
}
