// Compiled clusters against the same ops one by one: random programs, both
// instruction sets, loops in one piece and cut wherever they can be.
#include "millrace/compiler/codegen/Library.h"
#include "millrace/compiler/codegen/Tapes.h"
#include "millrace/devices/cpu/float_state.h"
#include "millrace/tests/ops/cluster_programs.h"
#include "millrace/tests/ops/run_op.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

using namespace codegen;

struct Counts {
  int64_t segments = 0, pieces = 0;
  int64_t many_arguments = 0;  // segments with more pointers and steps than registers
};

void CheckCompiled(const ClusterCase& given, Isa isa, const CutRule& rule, Counts& counts) {
  const FlushDenormals flush;
  const Registry& registry = Registry::BuiltIn();
  const ClusterCase c{cluster::Canonical(given.program), given.inputs};
  const Result<std::vector<Tensor>> expected = RunOpByOp(registry, c);
  if (!expected.ok()) return;  // an integer division by zero: such segments are not compiled
  std::vector<SegmentTape> segments = recordProgram(c.program, registry, rule);
  if (segments.empty()) return;
  counts.segments += static_cast<int64_t>(segments.size());
  for (const SegmentTape& s : segments) {
    counts.pieces += 1 + static_cast<int64_t>(s.cuts.size());
    counts.many_arguments += 2 * s.tape.inputs.size() + s.tape.outputs.size() > 16 ? 1 : 0;
  }
  const Library* library = openLibrary();
  REQUIRE(library != nullptr);
  const Result<cluster::CompiledProgram> compiled = library->compile(segments, isa, nullptr);
  MR_REQUIRE_OK(compiled);
  const std::string blob = cluster::EncodeCode(*compiled);
  const CodeStore::Item item{"code", IsaName(isa), blob};
  const std::unique_ptr<const CodeStore> store = CodeStore::Load({&item, 1});
  REQUIRE(store != nullptr);
  OpCall call{std::string(cluster::kClusterOp), cluster::ToAttrs(c.program), c.inputs, {}};
  call.attrs["code"] = "code";
  call.code = store.get();
  for (const int threads : {1, 3}) {
    call.threads = threads;
    const Result<std::vector<Tensor>> found = RunOp(registry, call);
    MR_REQUIRE_OK(found);
    for (size_t o = 0; o < found->size(); ++o) {
      const std::string difference = DifferenceOf((*found)[o], (*expected)[o]);
      if (!difference.empty()) FAIL(IsaName(isa) << ", output " << o << ": " << difference);
    }
  }
}

// One seed after the other, so that a failure is found again by its number.
void CheckRandomPrograms(const CutRule& rule, int rounds, uint32_t seed) {
  std::vector<Isa> isas = {Isa::kAvx2};
  if (ActiveIsa() == Isa::kAvx512) isas.push_back(Isa::kAvx512);
  const std::vector<std::vector<int64_t>> spaces = {{},        {1},       {17},        {1000},   {0},        {5000, 3},
                                                    {3, 5000}, {7, 5, 9}, {4, 1, 300}, {9, 256}, {2, 300, 3}};
  Counts counts;
  for (int round = 0; round < rounds; ++round) {
    std::mt19937 rng(seed + static_cast<uint32_t>(round));
    ClusterOptions options;
    options.space = spaces[static_cast<size_t>(round) % spaces.size()];
    options.row_rank = options.space.empty() || round % 2 == 0 ? 0 : 1;
    options.instructions = 1 + round % 24;
    options.float_only = round % 3 == 0;
    const ClusterCase c = RandomCluster(rng, options);
    INFO("seed " << seed + static_cast<uint32_t>(round));
    for (const Isa isa : isas) CheckCompiled(c, isa, rule, counts);
  }
  CHECK(counts.segments > rounds / 2);
  if (rule.piece == 1) CHECK(counts.pieces > counts.segments * 2);
}

TEST_CASE("random programs compiled for either instruction set give the bits of the separate ops") {
  CheckRandomPrograms({}, 150, 100);
}

TEST_CASE("random programs whose loops are cut after every op give the same bits") {
  CheckRandomPrograms({1, 0, 1}, 100, 9000);
}

TEST_CASE("programs so long that they become several functions, which share buffers, give the same bits") {
  std::vector<Isa> isas = {Isa::kAvx2};
  if (ActiveIsa() == Isa::kAvx512) isas.push_back(Isa::kAvx512);
  Counts counts;
  for (uint32_t seed = 0; seed < 6; ++seed) {
    std::mt19937 rng(seed);
    ClusterOptions options;
    options.space = {seed % 2 == 0 ? 1000 : 77};
    options.instructions = 300;
    options.float_only = true;
    const ClusterCase c = RandomCluster(rng, options);
    INFO("seed " << seed);
    for (const Isa isa : isas) CheckCompiled(c, isa, seed % 3 == 0 ? CutRule{1, 0, 1} : CutRule{}, counts);
  }
  CHECK(counts.pieces > 500);
  CHECK(counts.many_arguments > 5);
}

}  // namespace
}  // namespace millrace
