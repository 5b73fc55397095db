#include "millrace/ops/cluster/gain.h"

#include <algorithm>

#include "millrace/ops/expr/expression.h"
#include "millrace/ops/registry/op.h"

namespace millrace::cluster {
namespace {

// Measured with code_bench. A body's call and its share of a block's bookkeeping:
constexpr double kCall = 0.008;
// What an element of 4 bytes takes on its way to the first cache and back between
// two bodies. A function of many instructions hides it behind its arithmetic, and
// is a loop of its own in compiled code too.
constexpr double kPassed = 0.00003;
constexpr float kFunctionCycles = 3;
// Compiling: what each piece takes, and each light or heavy op in it.
constexpr double kMakePiece = 2500, kMakeOp = 15, kMakeFunction = 1500;

}  // namespace

CodeGain GainOfCode(const Program& program, const Registry& registry) {
  CodeGain gain;
  for (const Segment& segment : SegmentsOf(program)) {
    if (segment.kind != Kind::kElementwise) continue;
    double bytes = 0, largest = 0;  // that results take, of all ops and of the largest
    int functions = 0;
    for (int i = segment.begin; i < segment.end; ++i) {
      const Instruction& instruction = program.instructions[static_cast<size_t>(i)];
      const Op* op = registry.Find(instruction.op);
      const Expression* expression = op != nullptr ? op->expression() : nullptr;
      const bool function = expression != nullptr && expression->traits.cycles >= kFunctionCycles;
      const auto size = static_cast<double>(ElementSize(instruction.type));
      functions += function ? 1 : 0;
      bytes += size;
      largest = std::max(largest, size);
      gain.run += kCall;
      gain.make += function ? kMakeFunction : kMakeOp;
    }
    // Each loop stores one result, whoever runs it.
    if (segment.level == Level::kFull) {
      gain.element += kPassed / 4 * std::max(0.0, bytes - largest * std::max(1, functions));
    }
  }
  if (gain.make > 0) gain.make += kMakePiece;
  return gain;
}

}  // namespace millrace::cluster
