// Limits (proto/value/limits.h): each bounds what it says, where it says, and what
// meets it says its name.
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>

#include "millrace/compiler/api/compile.h"
#include "millrace/ops/builder/ops.h"
#include "millrace/ops/graph/load.h"
#include "millrace/proto/plan/writer.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/executor/runner.h"
#include "millrace/runtime/session/session.h"
#include "millrace/tests/test.h"

using namespace millrace;

namespace {

std::string Digits() { return std::string(MILLRACE_SOURCE_DIR) + "/samples/data/digits_cnn.pb"; }

// y = tanh(-(sum(x) + w)): a cluster, and a constant that only the compile has.
std::shared_ptr<Graph> Network() {
  const Scope s = Scope::NewRoot();
  const Output x = ops::Placeholder(s.WithOpName("x"), DType::kFloat, {.shape = Shape({-1})});
  const Output w = ops::Fill(s, {200}, 0.5f);
  ops::Tanh(s.WithOpName("y"), ops::Neg(s, ops::Add(s, ops::Sum(s, x, 0), w)));
  MR_REQUIRE_OK(s.status());
  return s.graph();
}

Status Load(const Limits& limits) { return LoadGraph(Digits(), {}, Registry::BuiltIn(), limits).status(); }

Status Run(const Limits& limits) {
  MR_ASSIGN_OR_RETURN(const auto session, Session::New(Network(), {.threads = 1, .limits = limits}));
  return session->Run({{"x", Tensor::Of<float>(Shape({3}), {1, 2, 3})}}, {"y"}).status();
}

struct Bound {
  std::function<Status(const Limits&)> work;
  int64_t too_few;
};

const std::map<std::string, Bound>& Bounds() {
  static const auto* const bounds = new std::map<std::string, Bound>{
      {"file_bytes", {Load, 1000}},   {"file_nodes", {Load, 3}},    {"message_depth", {Load, 1}},
      {"tensor_bytes", {Load, 100}},  {"compile_nodes", {Run, 1}},  {"clusters", {Run, 0}},
      {"constant_bytes", {Run, 799}}, {"memory_bytes", {Run, 100}},
  };
  return *bounds;
}

void CheckNames(const Status& status, const std::string& limit) {
  INFO(status.ToString());
  CHECK(status.code() == Code::kResourceExhausted);
  CHECK(status.message().find(limit) != std::string_view::npos);
}

}  // namespace

TEST_CASE("every limit ends what passes it with an error that names it") {
  unsetenv("MILLRACE_LIMITS");
  CHECK(Bounds().size() == AllLimits().size());
  for (const LimitInfo& limit : AllLimits()) {
    INFO(limit.name);
    const auto found = Bounds().find(limit.name);
    REQUIRE(found != Bounds().end());
    MR_REQUIRE_OK(found->second.work(Limits()));
    Limits limits;
    limits.*limit.value = found->second.too_few;
    CheckNames(found->second.work(limits), limit.name);
  }
}

TEST_CASE("a session's limits are the environment's where that has any") {
  const Limits generous{.memory_bytes = int64_t{1} << 40};
  setenv("MILLRACE_LIMITS", "memory_bytes=100", 1);
  const Status little = Run(generous);
  setenv("MILLRACE_LIMITS", "memory_bytes=much", 1);
  const Status bad = Run(generous);
  unsetenv("MILLRACE_LIMITS");
  CheckNames(little, "memory_bytes");
  CHECK(bad.code() == Code::kInvalidArgument);
  MR_REQUIRE_OK(Run(generous));
}

TEST_CASE("a runner bounds its plan and its memory, a compile of one's own what it makes") {
  const auto graph = Network();
  const SignatureSpec spec{.feeds = {"x:0"}, .fetches = {"y:0"}};
  CompileOptions options;
  options.limits.clusters = 0;
  CheckNames(Compile(*graph, {spec}, options).status(), "clusters");
  options.limits.clusters = 1;
  const auto plan = Compile(*graph, {spec}, options);
  MR_REQUIRE_OK(plan);
  const auto text = plan::Write(*plan);
  MR_REQUIRE_OK(text);
  const auto size = static_cast<int64_t>(text->size());
  const auto load = [&](const Limits& limits) {
    return Runner::FromBytes(Buffer::Borrow(const_cast<char*>(text->data()), text->size()),
                             {.threads = 1, .limits = limits});
  };
  CheckNames(load({.file_bytes = size - 1}).status(), "file_bytes");
  const auto run = [&](const Limits& limits) -> Status {
    MR_ASSIGN_OR_RETURN(const auto runner, load(limits));
    MR_ASSIGN_OR_RETURN(const auto callable, runner->Prepare("run"));
    std::vector<Tensor> results;
    return callable->Run({Tensor::Of<float>(Shape({3}), {1, 2, 3})}, &results);
  };
  CheckNames(run({.memory_bytes = 100}), "memory_bytes");
  MR_REQUIRE_OK(run({.file_bytes = size}));
}
