// Sessions on several devices: where nodes run, that the bits are those of one
// device, and what is said where a device is not there.
#include <cstring>
#include <map>
#include <set>

#include "millrace/compiler/api/placement.h"
#include "millrace/devices/api/device.h"
#include "millrace/ops/kernel/kernel.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/executor/plan_runner.h"
#include "millrace/runtime/session/session.h"
#include "millrace/tests/ops/graph_builder.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::vector<float> Ramp(size_t n, float scale) {
  std::vector<float> out(n);
  for (size_t i = 0; i < n; ++i) out[i] = scale * static_cast<float>(static_cast<int>((i * 37) % 101) - 50);
  return out;
}

const AttrMap kFloat = {{"T", DType::kFloat}};

NodeDef On(NodeDef node, const std::string& device) {
  node.device = device;
  return node;
}

// Two layers and a step of gradient descent, the layers on the devices given.
GraphDef Network(const std::string& first, const std::string& second) {
  const auto variable = [](const char* name, Shape shape) {
    return MakeNode(name, "VariableV2", {}, {{"dtype", DType::kFloat}, {"shape", std::move(shape)}});
  };
  const auto node = [](const char* name, const char* op, std::vector<std::string> inputs, AttrMap attrs = kFloat) {
    return MakeNode(name, op, std::move(inputs), std::move(attrs));
  };
  AttrMap transpose_a = kFloat, transpose_b = kFloat;
  transpose_a["transpose_a"] = true;
  transpose_b["transpose_b"] = true;
  std::vector<NodeDef> nodes = {
      MakePlaceholder("x", DType::kFloat, Shape({-1, 8})),
      MakePlaceholder("y", DType::kFloat, Shape({-1, 4})),
      On(variable("w1", Shape({8, 16})), first),
      On(variable("b1", Shape({16})), first),
      On(variable("w2", Shape({16, 4})), second),
      MakeConst<float>("w1/value", Shape({8, 16}), Ramp(128, 0.01f)),
      MakeConst<float>("b1/value", Shape({16}), Ramp(16, 0.02f)),
      MakeConst<float>("w2/value", Shape({16, 4}), Ramp(64, 0.03f)),
      node("w1/init", "Assign", {"w1", "w1/value"}),
      node("b1/init", "Assign", {"b1", "b1/value"}),
      node("w2/init", "Assign", {"w2", "w2/value"}),
      MakeConst<float>("rate", Shape(), {0.01f}),
      On(node("m1", "MatMul", {"x", "w1"}), first),
      On(node("a1", "BiasAdd", {"m1", "b1"}), first),
      On(node("h", "Relu", {"a1"}), first),
      On(node("out", "MatMul", {"h", "w2"}), second),
      On(node("error", "Sub", {"out", "y"}), second),
      On(node("loss", "L2Loss", {"error"}), second),
      On(node("dw2", "MatMul", {"h", "error"}, transpose_a), second),
      On(node("dh", "MatMul", {"error", "w2"}, transpose_b), second),
      On(node("da", "ReluGrad", {"dh", "h"}), first),
      On(node("dw1", "MatMul", {"x", "da"}, transpose_a), first),
      On(node("db1", "BiasAddGrad", {"da"}), first),
      node("w1/train", "ApplyGradientDescent", {"w1", "rate", "dw1"}),
      node("b1/train", "ApplyGradientDescent", {"b1", "rate", "db1"}),
      node("w2/train", "ApplyGradientDescent", {"w2", "rate", "dw2"}),
      node("train", "NoOp", {"^w1/train", "^b1/train", "^w2/train"}, {}),
  };
  return MakeGraph(std::move(nodes));
}

std::shared_ptr<Graph> Imported(const GraphDef& def, const Registry* registry = nullptr) {
  auto graph = registry != nullptr ? std::make_shared<Graph>(*registry) : std::make_shared<Graph>();
  MR_REQUIRE_OK(graph->Import(def));
  return graph;
}

std::unique_ptr<Session> Open(std::shared_ptr<const Graph> graph, const SessionOptions& options) {
  auto session = Session::New(std::move(graph), options);
  MR_REQUIRE_OK(session);
  return std::move(*session);
}

// The loss of each of a few steps, and the weights after them, as bytes.
std::vector<std::string> Trained(const GraphDef& def, const SessionOptions& options) {
  auto session = Open(Imported(def), options);
  MR_REQUIRE_OK(session->Run({}, {}, {"w1/init", "b1/init", "w2/init"}));
  const Tensor x = Tensor::Of<float>(Shape({6, 8}), Ramp(48, 0.05f)),
               y = Tensor::Of<float>(Shape({6, 4}), Ramp(24, 0.1f));
  std::vector<std::string> bytes;
  const auto keep = [&](const Tensor& t) { bytes.emplace_back(static_cast<const char*>(t.data()), t.bytes()); };
  for (int step = 0; step < 4; ++step) {
    auto out = session->Run({{"x", x}, {"y", y}}, {"loss", "h"}, {"train"});
    MR_REQUIRE_OK(out);
    for (const Tensor& t : *out) keep(t);
  }
  auto weights = session->Run({}, {"w1", "b1", "w2"});
  MR_REQUIRE_OK(weights);
  for (const Tensor& t : *weights) keep(t);
  return bytes;
}

SessionOptions Options(int cpus, bool soft = true, int threads = 1) {
  SessionOptions options;
  options.threads = threads;
  options.device_count = {{"CPU", cpus}};
  options.allow_soft_placement = soft;
  return options;
}

}  // namespace

TEST_CASE("a network over two devices learns the same bits as on one") {
  const std::vector<std::string> one = Trained(Network("", ""), Options(1));
  const GraphDef split = Network("/device:CPU:0", "/job:localhost/replica:0/task:0/cpu:1");
  for (int threads : {1, 3}) {
    INFO(threads << " threads");
    CHECK(Trained(split, Options(2, false, threads)) == one);
    CHECK(Trained(Network("/cpu:1", "CPU:2"), Options(3, false, threads)) == one);
    // On a machine with one device, softly.
    CHECK(Trained(split, Options(1, true, threads)) == one);
    CHECK(Trained(Network("/gpu:0", "/job:worker/task:7/device:TPU:*"), Options(2, true, threads)) == one);
  }
}

TEST_CASE("steps run on the device that was asked for, and values go there") {
  auto session = Open(Imported(Network("/cpu:1", "/cpu:0")), Options(2, false));
  CHECK(session->device_names() == std::vector<std::string>{"/job:localhost/replica:0/task:0/device:CPU:0",
                                                            "/job:localhost/replica:0/task:0/device:CPU:1"});
  MR_REQUIRE_OK(session->Run({}, {}, {"w1/init", "b1/init", "w2/init"}));
  RunOptions run;
  run.collect_step_stats = true;
  RunMetadata metadata;
  const Tensor x = Tensor::Of<float>(Shape({2, 8}), Ramp(16, 0.05f));
  MR_REQUIRE_OK(session->Run({{"x", x}}, {"out"}, {}, run, &metadata));
  std::map<std::string, std::string> device;  // of each kernel
  for (const StepStats& step : metadata.steps) {
    if (!step.op.empty()) device[step.node] = step.device;
  }
  CHECK(device.at("m1") == "/device:CPU:1");
  CHECK(device.at("out") == "/device:CPU:0");
}

TEST_CASE("where a device is not there, strict placement names node, device and what there is") {
  const GraphDef def = Network("/gpu:0", "");
  const Tensor x = Tensor::Of<float>(Shape({2, 8}), Ramp(16, 0.05f));
  auto strict = Open(Imported(def), Options(2, false));
  const auto out = strict->Run({{"x", x}}, {"h"});
  REQUIRE_FALSE(out.ok());
  CHECK(out.status().code() == Code::kInvalidArgument);
  CHECK(out.status().node() == "w1");
  const std::string text = out.status().ToString();
  CHECK(Contains(text, "asks for device '/gpu:0', which is not there; the devices are CPU:0, CPU:1"));
  // What does not reach such a node runs.
  MR_REQUIRE_OK(strict->Run({{"h", Tensor::Of<float>(Shape({2, 16}), Ramp(32, 0.05f))},
                             {"w2", Tensor::Of<float>(Shape({16, 4}), Ramp(64, 0.05f))}},
                            {"out"}));
}

TEST_CASE("what is no device name fails, however soft placement is, and names the node") {
  auto session = Open(Imported(Network("", "/cpu:0/gpu:0")), Options(1, true));
  const auto out = session->Run({}, {}, {"w2/init"});
  REQUIRE_FALSE(out.ok());
  CHECK(out.status().node() == "w2");
  CHECK(Contains(out.status().ToString(), "device '/cpu:0/gpu:0', at 7: the kind is given twice"));
}

TEST_CASE("numbers of devices are checked") {
  for (int32_t count : {-1, 65}) {
    SessionOptions options;
    options.device_count = {{"CPU", count}};
    const auto session = Session::New(Imported(Network("", "")), options);
    REQUIRE_FALSE(session.ok());
    CHECK(Contains(session.status().ToString(),
                   Cat("device_count of 'CPU': expected a number from 0 to 64, found ", count)));
  }
  SessionOptions options;
  options.device_count = {{"CPU", 0}, {"GPU", 3}};
  CHECK(Open(Imported(Network("", "")), options)->device_names().size() == 1);
}

TEST_CASE("every device has the memory limit to itself") {
  SessionOptions options = Options(2, false);
  options.limits.memory_bytes = 4096;
  const auto chain = [](const std::string& second) {
    return MakeGraph({MakePlaceholder("x", DType::kFloat, Shape({-1})), MakeNode("a", "Tanh", {"x"}, kFloat),
                      On(MakeNode("b", "L2Loss", {"a"}, kFloat), second)});
  };
  const Tensor small = Tensor::Of<float>(Shape({900}), Ramp(900, 0.1f)),
               large = Tensor::Of<float>(Shape({1100}), Ramp(1100, 0.1f));
  auto session = Open(Imported(chain("/cpu:1")), options);
  MR_REQUIRE_OK(session->Run({{"x", small}}, {"b"}));
  const auto out = session->Run({{"x", large}}, {"b"});
  REQUIRE_FALSE(out.ok());
  CHECK(out.status().code() == Code::kResourceExhausted);
}

TEST_CASE("a plan needs the devices that it was made for") {
  const auto graph = Imported(Network("/cpu:1", ""));
  CompileOptions options;
  options.devices = {{"CPU", 0}, {"CPU", 1}, {"CPU", 2}};
  auto plan = Compile(*graph, {{"run", {"x:0"}, {"out:0"}, {}}}, options);
  MR_REQUIRE_OK(plan);
  // Devices that nothing uses are not asked for.
  REQUIRE(plan->devices.size() == 2);
  EnvironmentOptions environment;
  environment.device_count = {{"CPU", 2}};
  MR_REQUIRE_OK(NewPlanRunner(*plan, std::make_shared<Environment>(environment), graph));
  const auto missing = NewPlanRunner(*plan, std::make_shared<Environment>(), graph);
  REQUIRE_FALSE(missing.ok());
  CHECK(Contains(missing.status().ToString(), "the plan needs device CPU:1 is not there; the devices are CPU:0"));
  options.devices = {{"CPU", 1}};
  const auto no_host = Compile(*graph, {{"run", {"x:0"}, {"out:0"}, {}}}, options);
  REQUIRE_FALSE(no_host.ok());
  CHECK(Contains(no_host.status().ToString(), "devices: expected CPU:0 among them, found CPU:1"));
}

TEST_CASE("a plan for one device is the same whatever its nodes ask for") {
  const auto plan_of = [](const std::string& first, const std::string& second) {
    const auto graph = Imported(Network(first, second));
    auto plan = Compile(*graph, {{"train", {"x:0", "y:0"}, {"loss:0"}, {"train"}}});
    MR_REQUIRE_OK(plan);
    std::string text;
    for (const plan::Block& block : plan->blocks) {
      for (const plan::Step& step : block.steps) text += Cat(step.node, " ", step.op, " ", step.device, "\n");
      text += Cat(block.slots.size(), " slots\n");
    }
    return text;
  };
  const std::string plain = plan_of("", "");
  CHECK(plan_of("/gpu:0", "GPU:1") == plain);
  CHECK(plan_of("/job:ps/task:3", "/device:CPU:*") == plain);
}

TEST_CASE("an explanation says for each node where it is and why") {
  GraphDef def = Network("/cpu:1", "/gpu:0");
  ListValue near;
  near.s.push_back("loc:@m1");
  def.nodes.push_back(MakeNode("follower", "Neg", {"h"}, {{"T", DType::kFloat}, {"_class", std::move(near)}}));
  const auto graph = Imported(def);
  const std::vector<SignatureSpec> signatures = {{"run", {"x:0", "y:0"}, {"loss:0", "follower:0"}, {"w1/train"}}};
  CompileOptions options;
  options.devices = {{"CPU", 0}, {"CPU", 1}};
  const auto why = [&](const CompileOptions& o) {
    auto placed = ExplainPlacement(*graph, signatures, o);
    MR_REQUIRE_OK(placed);
    std::map<std::string, std::string> out;
    for (const NodePlacement& p : *placed) {
      if (p.op != "Read") out[p.node] = Cat(p.device, "|", p.asked, "|", p.why);
    }
    return out;
  };
  auto two = why(options);
  CHECK(two["m1"] == "CPU:1|/device:CPU:1|asked for '/device:CPU:1'");
  CHECK(two["out"] == "CPU:0|/device:GPU:0|asked for '/device:GPU:0', which is not there: soft placement took CPU:0");
  CHECK(two["w1/train"] == "CPU:1||variable 'w1' is there: it asked for '/device:CPU:1'");
  CHECK(two["follower"] == "CPU:1||colocated with 'm1', which asked for '/device:CPU:1'");
  CHECK(two["rate"] == "||a constant: wherever it is used");
  auto one = why({});
  CHECK(one["m1"] == "CPU:0|/device:CPU:1|asked for '/device:CPU:1', which is not there: soft placement took CPU:0");
  CHECK(one["follower"] == "CPU:0||default: the first device");
  options.soft_placement = false;
  CHECK_FALSE(ExplainPlacement(*graph, signatures, options).ok());
}

// ---- a device that is not the host's memory ----

namespace {

int null_runs = 0;
bool null_memory = true;

// y = 2 x on the host; nothing on a device that keeps no data.
Status Probe(KernelContext& ctx) {
  for (int64_t i = 0; i < ctx.input(0).num_elements; ++i) {
    ctx.output(0).as<float>()[i] = 2 * ctx.input(0).as<float>()[i];
  }
  return OkStatus();
}
Status NullProbe(KernelContext& ctx) {
  ++null_runs;
  // Addresses of the null device have no memory behind them: they are small.
  for (const void* data : {ctx.input(0).data, ctx.input(1).data, ctx.output(0).data}) {
    null_memory &= reinterpret_cast<uintptr_t>(data) < (uintptr_t{1} << 20) + ctx.input(0).bytes() * 16;
  }
  return OkStatus();
}
Status ProbeShape(InferenceContext& ctx) {
  ctx.set_output(0, ctx.input(0));
  return OkStatus();
}

const Registry& Probes() {
  static const Registry* const registry = [] {
    auto r = Registry::Extending();
    r->Define("Probe")
        .Input("x: float")
        .Input("k: float")
        .Output("y: float")
        .Shape(ProbeShape)
        .NoGradient("test")
        .Kernel("CPU", MakeKernel<Probe>)
        .Kernel("NULL", MakeKernel<NullProbe>);
    return r.release();
  }();
  return *registry;
}

GraphDef ProbeGraph(const std::string& device) {
  return MakeGraph({MakePlaceholder("x", DType::kFloat, Shape({-1})), MakeConst<float>("k", Shape({2}), {1, 2}),
                    On(MakeNode("p", "Probe", {"x", "k"}), device), On(MakeNode("q", "Probe", {"p", "k"}), device),
                    MakeNode("n", "Neg", {"q"}, kFloat), On(MakeNode("r", "Probe", {"n", "k"}), device),
                    On(MakeNode("t", "Tanh", {"r"}, kFloat), device)});
}

}  // namespace

TEST_CASE("on a device with other memory, kernels see that memory, and copies go there and back") {
  const auto graph = Imported(ProbeGraph("/device:NULL:1"), &Probes());
  SessionOptions options;
  options.threads = 1;
  options.device_count = {{"NULL", 2}};
  auto session = Open(graph, options);
  CHECK(session->device_names().back() == "/job:localhost/replica:0/task:0/device:NULL:1");
  null_runs = 0;
  null_memory = true;
  const Tensor x = Tensor::Of<float>(Shape({300}), Ramp(300, 1));
  for (int i = 0; i < 3; ++i) {
    RunOptions run;
    run.collect_step_stats = true;
    RunMetadata metadata;
    auto out = session->Run({{"x", x}}, {"t", "n"}, {}, run, &metadata);
    MR_REQUIRE_OK(out);
    CHECK((*out)[0].num_elements() == 300);
    std::map<std::string, std::set<std::string>> devices;
    int copies = 0;
    for (const StepStats& step : metadata.steps) {
      if (step.op.empty()) ++copies;
      else devices[step.node].insert(step.device);
    }
    // x to the device, q back, n to the device, r back; p, which stays, not at all.
    CHECK(copies == 4);
    CHECK(devices["p"] == std::set<std::string>{"/device:NULL:1"});
    CHECK(devices["r"] == std::set<std::string>{"/device:NULL:1"});
    // There is no such kernel.
    CHECK(devices["t"] == std::set<std::string>{"/device:CPU:0"});
  }
  CHECK(null_runs == 9);
  CHECK(null_memory);

  options.allow_soft_placement = false;
  auto strict = Open(graph, options);
  const auto out = strict->Run({{"x", x}}, {"t"});
  REQUIRE_FALSE(out.ok());
  CHECK(out.status().node() == "t");
  CHECK(Contains(out.status().ToString(),
                 "asks for device '/device:NULL:1', which has no kernel for Tanh for T=float; the devices are CPU:0, "
                 "NULL:0, NULL:1"));
}

TEST_CASE("without the device the same graph computes on the host") {
  auto session = Open(Imported(ProbeGraph("/device:NULL:1"), &Probes()), Options(1));
  auto out = session->Run({{"x", Tensor::Of<float>(Shape({1}), {3})}}, {"n"});
  MR_REQUIRE_OK(out);
  CHECK((*out)[0].elements<float>()[0] == -12);
}

}  // namespace millrace
