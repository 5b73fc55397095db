// AttachCode: which clusters of a plan get code, and that they share what is equal.
#include <cstdlib>
#include <filesystem>

#include "millrace/compiler/api/code.h"
#include "millrace/ops/cluster/code.h"
#include "millrace/ops/kernel/isa.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

cluster::Program ChainOf(const char* op, int length, DType type = DType::kFloat) {
  cluster::Program p;
  p.inputs = {{type, cluster::Level::kFull, true}, {type, cluster::Level::kFull, true}};
  int reg = 0;
  for (int i = 0; i < length; ++i) {
    p.instructions.push_back({op, "node", type, cluster::Level::kFull, {reg, 1}});
    reg = p.num_registers() - 1;
  }
  p.outputs = {{reg, true}};
  return p;
}

// A plan with a step for each program over vectors of `elements`.
plan::Plan PlanOf(const std::vector<cluster::Program>& programs, int64_t elements) {
  plan::Plan plan;
  plan.exprs.push_back({plan::DimOp::kConstant, 0, 0, elements});
  plan::Block block;
  for (const cluster::Program& p : programs) {
    plan::Step step;
    step.op = std::string(cluster::kClusterOp);
    step.node = "cluster";
    step.attrs = cluster::ToAttrs(p);
    for (size_t i = 0; i < p.inputs.size() + p.outputs.size(); ++i) {
      plan::Value value;
      value.dtype = p.inputs[0].type;
      value.dims = {0};
      (i < p.inputs.size() ? step.inputs : step.outputs).push_back(static_cast<uint32_t>(block.values.size()));
      block.values.push_back(value);
    }
    block.steps.push_back(std::move(step));
  }
  plan.blocks.push_back(std::move(block));
  return plan;
}

const std::string& SymbolOf(const plan::Plan& plan, size_t step) {
  return *plan.blocks[0].steps[step].attrs.at("code").get<std::string>();
}

TEST_CASE("nothing is attached unless it is asked for") {
  plan::Plan plan = PlanOf({ChainOf("AddV2", 5)}, 1000000);
  CodeReport report;
  MR_REQUIRE_OK(AttachCode(&plan, Registry::BuiltIn(), {}, &report));
  CHECK(plan.code.empty());
  CHECK(SymbolOf(plan, 0).empty());
}

TEST_CASE("equal clusters share one piece of code, which the store then has") {
  plan::Plan plan = PlanOf({ChainOf("AddV2", 3), ChainOf("Mul", 3), ChainOf("AddV2", 3)}, 10);
  CodeReport report;
  MR_REQUIRE_OK(
      AttachCode(&plan, Registry::BuiltIn(), {.codegen = Codegen::kOn, .targets = {}, .cache_dir = {}}, &report));
  CHECK(report.clusters == 3);
  CHECK(report.attached == 3);
  CHECK(report.compiled == 2);
  CHECK_FALSE(report.no_library);
  REQUIRE(plan.code.size() == 2);
  CHECK(SymbolOf(plan, 0) == SymbolOf(plan, 2));
  CHECK(SymbolOf(plan, 0) != SymbolOf(plan, 1));
  CHECK(plan.code[0].features == IsaName(ActiveIsa()));
  for (const plan::Code& code : plan.code) {
    const CodeStore::Item item{code.symbol, code.features, code.content.view()};
    const std::unique_ptr<const CodeStore> store = CodeStore::Load({&item, 1});
    REQUIRE(store != nullptr);
    const cluster::Program program = ChainOf(code.symbol == SymbolOf(plan, 0) ? "AddV2" : "Mul", 3);
    const uint64_t digest = cluster::SegmentDigest(program, cluster::SegmentsOf(program)[0]);
    CHECK(store->Find(code.symbol, 0, digest).run != nullptr);
    CHECK(store->Find(code.symbol, 0, digest + 1).run == nullptr);
  }
}

TEST_CASE("the same plan gets the same code, whatever the threads") {
  std::vector<cluster::Program> programs;
  for (int i = 1; i <= 12; ++i) programs.push_back(ChainOf(i % 2 == 0 ? "SquaredDifference" : "Maximum", i));
  plan::Plan plans[2] = {PlanOf(programs, 10), PlanOf(programs, 10)};
  for (int i = 0; i < 2; ++i) {
    CodeOptions options;
    options.codegen = Codegen::kOn;
    options.threads = i == 0 ? 1 : 4;
    MR_REQUIRE_OK(AttachCode(&plans[i], Registry::BuiltIn(), options));
  }
  REQUIRE(plans[0].code.size() == 12);
  REQUIRE(plans[1].code.size() == 12);
  for (size_t i = 0; i < 12; ++i) {
    CHECK(plans[0].code[i].symbol == plans[1].code[i].symbol);
    CHECK(plans[0].code[i].content == plans[1].code[i].content);
  }
}

TEST_CASE("several targets are several pieces under one symbol; what is no target is refused") {
  plan::Plan plan = PlanOf({ChainOf("AddV2", 3)}, 10);
  CodeOptions options;
  options.codegen = Codegen::kOn;
  options.targets = {"avx2", "avx512"};
  MR_REQUIRE_OK(AttachCode(&plan, Registry::BuiltIn(), options));
  REQUIRE(plan.code.size() == 2);
  CHECK(plan.code[0].symbol == plan.code[1].symbol);
  CHECK(plan.code[0].features == "avx2");
  CHECK(plan.code[1].features == "avx512");
  options.targets = {"avx1024"};
  CHECK(AttachCode(&plan, Registry::BuiltIn(), options).code() == Code::kInvalidArgument);
}

TEST_CASE("what pays is decided from the plan: large clusters are compiled, small ones are not") {
  CodeOptions options;
  options.codegen = Codegen::kAuto;
  for (const auto& [elements, attached] : {std::pair<int64_t, int>{1, 0}, {100, 0}, {1000000, 1}}) {
    plan::Plan plan = PlanOf({ChainOf("AddV2", 8)}, elements);
    CodeReport report;
    MR_REQUIRE_OK(AttachCode(&plan, Registry::BuiltIn(), options, &report));
    CHECK(report.attached == attached);
    CHECK(report.declined == 1 - attached);
  }
  // More runs make more pay.
  options.expected_runs = 1e6;
  plan::Plan plan = PlanOf({ChainOf("AddV2", 8)}, 100);
  MR_REQUIRE_OK(AttachCode(&plan, Registry::BuiltIn(), options));
  CHECK(plan.code.size() == 1);
}

TEST_CASE("clusters of what has no tape stay as they are") {
  plan::Plan plan = PlanOf({ChainOf("AddV2", 2, DType::kComplex64), ChainOf("FloorDiv", 2, DType::kInt32)}, 10);
  CodeReport report;
  MR_REQUIRE_OK(
      AttachCode(&plan, Registry::BuiltIn(), {.codegen = Codegen::kOn, .targets = {}, .cache_dir = {}}, &report));
  CHECK(report.refused == 2);
  CHECK(plan.code.empty());
}

TEST_CASE("a program that would keep the compiler busy for seconds is left to the bodies") {
  plan::Plan plan = PlanOf({ChainOf("Pow", 1000), ChainOf("Pow", 3)}, 10);
  CodeReport report;
  MR_REQUIRE_OK(
      AttachCode(&plan, Registry::BuiltIn(), {.codegen = Codegen::kOn, .targets = {}, .cache_dir = {}}, &report));
  CHECK(report.refused == 1);
  CHECK(report.attached == 1);
}

TEST_CASE("a cluster whose attributes are no program is an error that names it") {
  plan::Plan plan = PlanOf({ChainOf("AddV2", 2)}, 10);
  plan.blocks[0].steps[0].attrs.erase("operands");
  const Status status =
      AttachCode(&plan, Registry::BuiltIn(), {.codegen = Codegen::kOn, .targets = {}, .cache_dir = {}});
  CHECK(status.code() == Code::kInvalidArgument);
  CHECK(status.ToString().find("cluster") != std::string::npos);
}

TEST_CASE("what was compiled once comes from the cache, and a damaged entry is compiled again") {
  char folder[] = "/tmp/millrace_attach_XXXXXX";
  REQUIRE(mkdtemp(folder) != nullptr);
  CodeOptions options;
  options.codegen = Codegen::kOn;
  options.cache_dir = folder;
  const auto attach = [&] {
    plan::Plan plan = PlanOf({ChainOf("AddV2", 4), ChainOf("Mul", 4)}, 10);
    CodeReport report;
    MR_REQUIRE_OK(AttachCode(&plan, Registry::BuiltIn(), options, &report));
    CHECK(report.attached == 2);
    return std::pair(report, plan.code[0].content);
  };
  const auto cold = attach();
  CHECK(cold.first.compiled == 2);
  const auto warm = attach();
  CHECK(warm.first.compiled == 0);
  CHECK(warm.first.from_cache == 2);
  CHECK(warm.second == cold.second);
  for (const auto& file : std::filesystem::directory_iterator(folder)) std::filesystem::resize_file(file.path(), 50);
  const auto again = attach();
  CHECK(again.first.compiled == 2);
  CHECK(again.second == cold.second);
  std::filesystem::remove_all(folder);
}

TEST_CASE("the environment has the last word") {
  CodeOptions options;
  options.codegen = Codegen::kAuto;
  setenv("MILLRACE_CODEGEN", "off", 1);
  setenv("MILLRACE_CODE_CACHE", "/somewhere", 1);
  CHECK(FromEnvironment(options).codegen == Codegen::kOff);
  CHECK(FromEnvironment(options).cache_dir == "/somewhere");
  setenv("MILLRACE_CODEGEN", "on", 1);
  CHECK(FromEnvironment(options).codegen == Codegen::kOn);
  setenv("MILLRACE_CODEGEN", "nonsense", 1);
  CHECK(FromEnvironment(options).codegen == Codegen::kAuto);
  unsetenv("MILLRACE_CODEGEN");
  unsetenv("MILLRACE_CODE_CACHE");
  CHECK(FromEnvironment(options).cache_dir.empty());
}

}  // namespace
}  // namespace millrace
