// Machine code in sessions: made beside the runs, where it pays, with the same bits.
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>

#include "millrace/runtime/session/session.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

// y = tanh(((x * x) * x + x) * x + x) * x, of many elements.
std::shared_ptr<const Graph> LongChain(int64_t elements) {
  GraphDef def;
  def.has_versions = true;
  def.versions.producer = 1882;
  const auto add = [&](const char* name, const char* op, std::vector<std::string> inputs, AttrMap attrs) {
    NodeDef n;
    n.name = name;
    n.op = op;
    n.inputs = std::move(inputs);
    n.attrs = std::move(attrs);
    def.nodes.push_back(std::move(n));
  };
  const AttrMap floats = {{"T", DType::kFloat}};
  add("x", "Placeholder", {}, {{"dtype", DType::kFloat}, {"shape", Shape({elements})}});
  add("a", "Mul", {"x", "x"}, floats);
  add("b", "Mul", {"a", "x"}, floats);
  add("c", "AddV2", {"b", "x"}, floats);
  add("d", "Mul", {"c", "x"}, floats);
  add("e", "AddV2", {"d", "x"}, floats);
  add("f", "Tanh", {"e"}, floats);
  add("y", "Mul", {"f", "x"}, floats);
  auto graph = std::make_shared<Graph>();
  MR_REQUIRE_OK(graph->Import(def));
  return graph;
}

bool CodeGeneratorIsOpen() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("libmillrace_codegen") != std::string::npos) return true;
  }
  return false;
}

// Runs of a session with that option until the code generator is open, and some more;
// at most `most`. All results have the bits of the first.
void RunMany(Codegen codegen, int most) {
  constexpr int64_t kElements = 50000;
  SessionOptions options;
  options.threads = 1;
  options.code.codegen = codegen;
  const Result<std::unique_ptr<Session>> session = Session::New(LongChain(kElements), options);
  MR_REQUIRE_OK(session);
  std::vector<float> x(kElements);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) * 1e-4F - 2.5F;
  const Tensor feed = Tensor::Of<float>({kElements}, x);
  const Result<std::shared_ptr<Callable>> callable = (*session)->Prepare({"x:0"}, {"y:0"});
  MR_REQUIRE_OK(callable);
  std::vector<Tensor> first, found;
  MR_REQUIRE_OK((*callable)->Run({feed}, &first));
  CHECK((codegen == Codegen::kOn || !CodeGeneratorIsOpen()));
  for (int i = 0, more = 200; i < most && more > 0; ++i) {
    MR_REQUIRE_OK((*callable)->Run({feed}, &found));
    if (std::memcmp(first[0].data(), found[0].data(), first[0].bytes()) != 0) FAIL("other bits in run " << i);
    if (i % 16 == 0 && CodeGeneratorIsOpen()) {
      // Time for the code to come, then runs with it.
      if (more == 200) std::this_thread::sleep_for(std::chrono::milliseconds(50));
      more -= 16;
    }
  }
  MR_REQUIRE_OK((*session)->Close());
}

}  // namespace

TEST_CASE("sessions make code beside their runs where they were not told otherwise, with the same bits") {
  CHECK(SessionOptions().code.codegen == Codegen::kAuto);
  if (std::getenv("MILLRACE_CODEGEN") != nullptr) MR_SKIP("the environment says how code is made");
  RunMany(Codegen::kOff, 2000);
  CHECK_FALSE(CodeGeneratorIsOpen());
  RunMany(Codegen::kAuto, 50000);
  CHECK(CodeGeneratorIsOpen());
}

}  // namespace millrace
