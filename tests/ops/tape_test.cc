// Tapes: what is recorded of every body computes the body's bits; what is no tape
// is told so.
#include "millrace/ops/expr/tape.h"

#include "millrace/devices/cpu/float_state.h"
#include "millrace/ops/expr/driver.h"
#include "millrace/ops/expr/expression.h"
#include "millrace/ops/expr/recorder.h"
#include "millrace/ops/registry/op.h"
#include "millrace/tests/ops/element_values.h"
#include "millrace/tests/ops/tape_interpreter.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

// The tape of one body, or nothing.
std::optional<Tape> TapeOf(const Body& body) {
  Recorder recorder;
  std::vector<uint32_t> operands;
  for (int j = 0; j < Arity(body); ++j) operands.push_back(recorder.Input(MemoryType(body.in[j])));
  const std::optional<uint32_t> result = recorder.Record(body, operands);
  if (!result.has_value()) return std::nullopt;
  recorder.Output(*result);
  return recorder.Take();
}

TEST_CASE("the tape of every body gives the bits of the body") {
  std::mt19937_64 random(11);
  constexpr int64_t kCount = 700;
  int recorded = 0, refused = 0;
  size_t longest = 0;
  for (const Op* op : Registry::BuiltIn().ops()) {
    const Expression* expression = op->expression();
    if (expression == nullptr) continue;
    const BodyTable& table = *expression->bodies[0];
    for (const Body& body : std::span(table.bodies, static_cast<size_t>(table.count))) {
      INFO(op->name() << " " << DTypeName(body.in[0]) << " to " << DTypeName(body.out));
      const std::optional<Tape> tape = TapeOf(body);
      if (!tape.has_value()) {
        ++refused;
        continue;
      }
      ++recorded;
      longest = std::max(longest, tape->code.size());
      const Status valid = ValidateTape(*tape);
      INFO(valid.message());
      REQUIRE(valid.ok());
      const size_t arity = static_cast<size_t>(Arity(body)), out_size = ElementSize(body.out);
      std::vector<std::vector<char>> operands;
      TensorView views[kMaxOperands];
      for (size_t j = 0; j < arity; ++j) {
        operands.emplace_back(kCount * ElementSize(body.in[j]));
        FillBits(body.in[j], operands.back(), random);
        views[j] = {operands[j].data(), body.in[j], 1, &kCount, kCount};
      }
      const auto compare = [&] {
        std::vector<char> expected(kCount * out_size);
        RunBody(body, {views, arity}, {expected.data(), body.out, 1, &kCount, kCount});
        int different = 0;
        for (size_t i = 0; i < kCount; ++i) {
          uint64_t in[kMaxOperands] = {};
          for (size_t j = 0; j < arity; ++j) {
            const size_t size = ElementSize(body.in[j]);
            std::memcpy(&in[j], &operands[j][i * size], size);
          }
          const uint64_t found = RunTape(*tape, {in, arity})[0];
          different += !SameElement(body.out, reinterpret_cast<const char*>(&found), &expected[i * out_size]);
        }
        return different;
      };
      CHECK(compare() == 0);
      const FlushDenormals flush;
      CHECK(compare() == 0);
    }
  }
  CAPTURE(refused);
  CAPTURE(longest);
  CHECK(recorded > 500);
}

TEST_CASE("bodies that go through the C library, and complex numbers, have no tape") {
  const Registry& registry = Registry::BuiltIn();
  const DType complex = DType::kComplex64, real = DType::kFloat;
  const Body* exp = registry.Find("Exp")->expression()->Find({&complex, 1}, complex, Isa::kAvx2);
  REQUIRE(exp != nullptr);
  CHECK_FALSE(TapeOf(*exp).has_value());
  const Body* gamma = registry.Find("Lgamma")->expression()->Find({&real, 1}, real, Isa::kAvx2);
  REQUIRE(gamma != nullptr);
  CHECK_FALSE(TapeOf(*gamma).has_value());
}

TEST_CASE("bodies recorded one after the other share what they have in common") {
  const DType type = DType::kFloat, both[] = {type, type};
  const Body* tanh = Registry::BuiltIn().Find("Tanh")->expression()->Find({&type, 1}, type, Isa::kAvx2);
  const Body* add = Registry::BuiltIn().Find("AddV2")->expression()->Find(both, type, Isa::kAvx2);
  Recorder recorder;
  const uint32_t x = recorder.Input(TapeType::kF32);
  const uint32_t once = *recorder.Record(*tanh, {{x}}), again = *recorder.Record(*tanh, {{x}});
  CHECK(once == again);
  const uint32_t operands[] = {once, again};
  recorder.Output(*recorder.Record(*add, operands));
  const Tape tape = recorder.Take();
  const uint64_t one = 0x3f800000;
  float sum;
  const uint64_t found = RunTape(tape, {&one, 1})[0];
  std::memcpy(&sum, &found, sizeof sum);
  CHECK(sum == Approx(2 * std::tanh(1.0)));
  CHECK(recorder.Take().code.empty());
}

TEST_CASE("a truth that goes through memory is not asked again") {
  const DType type = DType::kFloat, both[] = {type, type}, truth = DType::kBool;
  const Body* less = Registry::BuiltIn().Find("Less")->expression()->Find(both, truth, Isa::kAvx2);
  const Body* negate = Registry::BuiltIn().Find("LogicalNot")->expression()->Find({&truth, 1}, truth, Isa::kAvx2);
  Recorder recorder;
  const uint32_t operands[] = {recorder.Input(TapeType::kF32), recorder.Input(TapeType::kF32)};
  recorder.Output(*recorder.Record(*negate, {{*recorder.Record(*less, operands)}}));
  for (const TapeInstruction& i : recorder.Take().code) CHECK(i.op != TapeOp::kNotEqual);
}

TEST_CASE("what is no tape is refused") {
  using enum TapeOp;
  using enum TapeType;
  const auto valid = [](std::vector<TapeInstruction> code, uint32_t out, TapeType type) {
    return ValidateTape({std::move(code), {TapeType::kF32}, {{out, type}}}).ok();
  };
  const TapeInstruction x{kInput, kF32}, truth{kLess, kBool, 0, 0};
  CHECK(valid({x, {kAdd, kF32, 0, 0}}, 1, kF32));
  CHECK_FALSE(valid({x, {kAdd, kF32, 0, 1}}, 1, kF32));       // itself
  CHECK_FALSE(valid({x, {kAdd, kF64, 0, 0}}, 1, kF64));       // another type
  CHECK_FALSE(valid({x, {kAnd, kF32, 0, 0}}, 1, kF32));       // no integer
  CHECK_FALSE(valid({x, {kBits, kI64, 0}}, 1, kI64));         // another size
  CHECK_FALSE(valid({x}, 1, kF32));                           // no such value
  CHECK_FALSE(valid({{kInput, kF32, 0, 0, 0, 1}}, 0, kF32));  // no such input
  CHECK_FALSE(valid({x, truth}, 1, kBool));                   // truths have no form in memory
  CHECK_FALSE(valid({x, {static_cast<TapeOp>(99), kF32}}, 0, kF32));
  const TapeInstruction rare{kRare, kBool, 1, 0, 0, 1}, slow{kSqrt, kF32, 0}, end{kRareEnd, kF32, 1, 3, 0};
  CHECK(valid({x, truth, rare, slow, end}, 4, kF32));
  CHECK_FALSE(valid({x, truth, rare, slow}, 0, kF32));                             // no end
  CHECK_FALSE(valid({x, truth, rare, slow, end}, 3, kF32));                        // out of reach
  CHECK_FALSE(valid({x, truth, rare, slow, end, {kNeg, kF32, 3}}, 5, kF32));       // out of reach
  CHECK_FALSE(valid({x, truth, {kRare, kBool, 1, 0, 0, 9}, slow, end}, 4, kF32));  // beyond the end
}

}  // namespace
}  // namespace millrace
