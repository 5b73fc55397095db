#include "millrace/compiler/codegen/Tapes.h"

#include "millrace/ops/expr/expression.h"
#include "millrace/ops/expr/recorder.h"
#include "millrace/proto/plan/digest.h"

#include <cstring>
#include <optional>

namespace millrace::codegen {
namespace {

// Records one instruction; `values` are the program's registers on the tape.
std::optional<uint32_t> recordInstruction(Recorder &recorder, const cluster::Program &program,
                                          const cluster::Instruction &instruction,
                                          const Registry &registry,
                                          const std::vector<std::optional<uint32_t>> &values) {
  const Op *op = registry.Find(instruction.op);
  if (!op || !op->expression() || instruction.operands.empty())
    return std::nullopt;
  const Expression *expression = op->expression();
  std::vector<DType> types;
  std::vector<uint32_t> operands;
  for (int reg : instruction.operands) {
    if (!values[reg])
      return std::nullopt;
    types.push_back(program.type(reg));
    operands.push_back(*values[reg]);
  }
  if (expression->traits.attr_operand) {
    char element[kMaxElementBytes] = {};
    if (!MakeAttrOperand(instruction.value, types[0], element))
      return std::nullopt;
    uint64_t bits = 0;
    std::memcpy(&bits, element, sizeof bits);
    types.push_back(types[0]);
    operands.push_back(recorder.Constant(MemoryType(types[0]), bits));
  }
  // Bodies for the floor are those that can be recorded.
  const Body *body =
      types.size() == static_cast<size_t>(expression->arity())
          ? BodyFor(*expression, instruction.variant, types, instruction.type, Isa::kAvx2)
          : nullptr;
  // Integer ops that look at the contents first (division by zero) can fail; bodies cannot.
  if (!body || (expression->traits.check && IsInteger(types.back())))
    return std::nullopt;
  return recorder.Record(*body, operands);
}

std::optional<SegmentTape> recordSegment(const cluster::Program &program,
                                         const cluster::Segment &segment, const Registry &registry,
                                         const CutRule &rule, size_t room) {
  Recorder recorder;
  SegmentTape out;
  std::vector<std::optional<uint32_t>> values(program.num_registers());
  for (int reg : segment.reads) {
    const TapeType type = MemoryType(program.type(reg));
    if (type == TapeType::kBool)
      return std::nullopt;
    values[reg] = recorder.Input(type);
  }
  int64_t piece = 0;
  for (int i = segment.begin; i < segment.end; ++i) {
    const uint32_t before = recorder.size();
    const int reg = static_cast<int>(program.inputs.size()) + i;
    values[reg] = recordInstruction(recorder, program, program.instructions[i], registry, values);
    if (!values[reg] || recorder.size() > room)
      return std::nullopt;
    const int64_t weight = recorder.Weight(before);
    if (piece > 0 && ((piece >= rule.piece && weight >= rule.op) || piece + weight > rule.most)) {
      out.cuts.push_back(before);
      piece = 0;
    }
    piece += weight;
  }
  for (int reg : segment.writes)
    recorder.Output(*values[reg]);
  out.tape = recorder.Take();
  return out;
}

} // namespace

std::vector<SegmentTape> recordProgram(const cluster::Program &program, const Registry &registry,
                                       const CutRule &rule) {
  std::vector<SegmentTape> out;
  const std::vector<cluster::Segment> segments = cluster::SegmentsOf(program);
  size_t room = kMaxTape;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].kind != cluster::Kind::kElementwise)
      continue;
    if (std::optional<SegmentTape> tape =
            recordSegment(program, segments[i], registry, rule, room)) {
      room -= tape->tape.code.size();
      tape->segment = static_cast<int>(i);
      tape->digest = cluster::SegmentDigest(program, segments[i]);
      out.push_back(std::move(*tape));
    }
  }
  return out;
}

std::string contentKey(std::span<const SegmentTape> segments) {
  std::string bytes;
  const auto put = [&](uint64_t word) {
    bytes.append(reinterpret_cast<const char *>(&word), sizeof word);
  };
  put(kVersion);
  for (const SegmentTape &segment : segments) {
    put(static_cast<uint64_t>(segment.segment));
    put(segment.digest);
    put(segment.tape.inputs.size());
    for (TapeType type : segment.tape.inputs)
      put(static_cast<uint64_t>(type));
    put(segment.tape.code.size());
    for (const TapeInstruction &i : segment.tape.code) {
      put(static_cast<uint64_t>(i.op) | static_cast<uint64_t>(i.type) << 8 |
          static_cast<uint64_t>(i.a) << 32);
      put(i.b | static_cast<uint64_t>(i.c) << 32);
      put(i.immediate);
    }
    put(segment.tape.outputs.size());
    for (const Tape::Output &o : segment.tape.outputs)
      put(o.value);
    put(segment.cuts.size());
    for (uint32_t cut : segment.cuts)
      put(cut);
  }
  // Two digests of 64 bits, the second of the first and the bytes.
  const uint64_t first = plan::Digest(bytes);
  put(first);
  const uint64_t second = plan::Digest(bytes);
  std::string key;
  for (uint64_t word : {first, second})
    for (int shift = 60; shift >= 0; shift -= 4)
      key += "0123456789abcdef"[word >> shift & 15];
  return key;
}

} // namespace millrace::codegen
