// Compiled segments: the bits of the built-in bodies, for both instruction sets.
#include "millrace/compiler/codegen/Codegen.h"

#include "millrace/compiler/codegen/Library.h"
#include "millrace/compiler/codegen/Tapes.h"
#include "millrace/devices/cpu/float_state.h"
#include "millrace/ops/expr/driver.h"
#include "millrace/ops/expr/expression.h"
#include "millrace/ops/expr/recorder.h"
#include "millrace/ops/registry/op.h"
#include "millrace/tests/ops/element_values.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

using namespace codegen;

const Library& TheLibrary() {
  const Library* library = openLibrary();
  REQUIRE(library != nullptr);
  return *library;
}

bool Runs(Isa isa) {
  const Isa before = ActiveIsa();
  const bool can = SetIsaForTesting(isa);
  SetIsaForTesting(before);
  return can;
}

// Compiles the segments and makes them ready to call; a symbol of their own.
std::unique_ptr<const CodeStore> Ready(std::span<const SegmentTape> segments, Isa isa) {
  const Result<cluster::CompiledProgram> program = TheLibrary().compile(segments, isa, nullptr);
  INFO((program.ok() ? std::string() : std::string(program.status().message())));
  REQUIRE(program.ok());
  const std::string blob = cluster::EncodeCode(*program);
  const CodeStore::Item item{"code", IsaName(isa), blob};
  std::unique_ptr<const CodeStore> store = CodeStore::Load({&item, 1});
  REQUIRE(store != nullptr);
  return store;
}

// A body and the number of its segment.
struct Case {
  const Op* op;
  const Body* body;
  SegmentTape segment;
};

std::vector<Case> AllBodies() {
  std::vector<Case> cases;
  for (const Op* op : Registry::BuiltIn().ops()) {
    const Expression* expression = op->expression();
    if (expression == nullptr) continue;
    const BodyTable& table = *expression->bodies[0];
    for (const Body& body : std::span(table.bodies, static_cast<size_t>(table.count))) {
      Recorder recorder;
      std::vector<uint32_t> operands;
      for (int j = 0; j < Arity(body); ++j) operands.push_back(recorder.Input(MemoryType(body.in[j])));
      const std::optional<uint32_t> result = recorder.Record(body, operands);
      if (!result.has_value()) continue;
      recorder.Output(*result);
      cases.push_back({op, &body, {static_cast<int>(cases.size()), 0, recorder.Take(), {}}});
    }
  }
  return cases;
}

void CompareBodies(Isa isa) {
  if (!Runs(isa)) MR_SKIP("this CPU has not got the instruction set");
  std::vector<Case> cases = AllBodies();
  REQUIRE(cases.size() > 500);
  std::mt19937_64 random(5);
  constexpr size_t kBatch = 32;
  constexpr int64_t kCount = 1024;
  for (size_t first = 0; first < cases.size(); first += kBatch) {
    const size_t last = std::min(first + kBatch, cases.size());
    std::vector<SegmentTape> segments;
    for (size_t i = first; i < last; ++i) segments.push_back(cases[i].segment);
    const std::unique_ptr<const CodeStore> store = Ready(segments, isa);
    for (size_t i = first; i < last; ++i) {
      const Body& body = *cases[i].body;
      const CodeStore::Loop loop = store->Find("code", static_cast<int>(i), 0);
      REQUIRE(loop.run != nullptr);
      const size_t arity = static_cast<size_t>(Arity(body)), out_size = ElementSize(body.out);
      std::vector<std::vector<char>> operands;
      TensorView views[kMaxOperands];
      const void* in[kMaxOperands];
      int64_t steps[kMaxOperands];
      for (size_t j = 0; j < arity; ++j) {
        operands.emplace_back(kCount * ElementSize(body.in[j]));
        FillBits(body.in[j], operands.back(), random);
        views[j] = {operands[j].data(), body.in[j], 1, &kCount, kCount};
        in[j] = operands[j].data();
        steps[j] = loop.lanes;
      }
      const auto compare = [&] {
        std::vector<char> expected(kCount * out_size), found(kCount * out_size, '\x55');
        RunBody(body, {views, arity}, {expected.data(), body.out, 1, &kCount, kCount});
        void* out = found.data();
        loop.run(in, steps, &out, kCount / loop.lanes);
        int different = 0;
        for (size_t k = 0; k < kCount; ++k) {
          different += !SameElement(body.out, &found[k * out_size], &expected[k * out_size]);
        }
        return different;
      };
      INFO(cases[i].op->name() << " " << DTypeName(body.in[0]) << " to " << DTypeName(body.out));
      CHECK(compare() == 0);
      const FlushDenormals flush;
      CHECK(compare() == 0);
    }
  }
}

TEST_CASE("every body compiled for AVX2 gives the bits of the built-in one") { CompareBodies(Isa::kAvx2); }
TEST_CASE("every body compiled for AVX-512 gives the bits of the built-in one") { CompareBodies(Isa::kAvx512); }

}  // namespace
}  // namespace millrace
