// A cluster: element-wise ops, and ops over rows, that run as one step. The
// program is data, kept in the attributes of a `_Cluster` node, so a plan needs
// no machine code; the runtime runs it with the ops' own bodies over blocks that
// stay in cache (kernel.cc). Compiled code may stand in for the segments of a
// program and gives the same bits.
//
// A program computes over a space: the shape that its full-level inputs
// broadcast to. The last `row_rank` dimensions of the space make a row; a program
// without ops over rows has row_rank 0. Every register has a level:
//   kFull  one value for each element of the space
//   kRow   one value for each row: what reductions give
//   kOne   one value
//   kColumn  one value for each element of a row: what reductions over the rows
//          give, in a program with row dimensions. Only outputs.
// An operand of a lower level is repeated.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "millrace/proto/value/attr.h"
#include "millrace/proto/value/dtype.h"
#include "millrace/proto/value/status.h"

namespace millrace::cluster {

inline constexpr std::string_view kClusterOp = "_Cluster";

enum class Level : uint8_t { kOne = 0, kRow = 1, kFull = 2, kColumn = 3 };

// What an instruction does: follows from its op (see KindOf in kinds.h).
enum class Kind : uint8_t {
  kElementwise,  // an op with an Expression; operands of the instruction's level or lower
  // "Sum", "Mean", "Max", "Min", "Prod", "Any", "All": a full operand to a row value, or
  // to a column value; "ArgMax" and "ArgMin" to a row's, "BiasAddGrad" to a column's.
  kReduce,
  kRowFunction,  // "Softmax", "LogSoftmax": a full operand to a full result, row by row
};

// A full-level input has any shape that broadcasts to the space, a row-level one
// any that broadcasts to the rows, a one-level one a single element.
struct Input {
  DType type = DType::kInvalid;
  Level level = Level::kFull;
  // Of a row-level input: whether the row dimensions are there with extent 1
  // ([n, 1]) or are left out ([n]).
  bool keeps_dims = true;
  // Of a full-level input: a part of the tensor along one axis is meant, and read
  // where it lies.
  int slice_axis = -1;
  int64_t slice_begin = 0, slice_extent = 0;

  bool sliced() const { return slice_axis >= 0; }
};

struct Instruction {
  std::string op;                // of the registry
  std::string node;              // for messages
  DType type = DType::kInvalid;  // of the result
  Level level = Level::kFull;    // of the result
  // Registers: inputs come first, then instructions. All are smaller than this
  // instruction's own.
  std::vector<int> operands;
  float value = 0;       // the operand that comes from an attribute (LeakyRelu's alpha)
  bool variant = false;  // the op's variant is meant (a truncating Cast)
};

// A full-level output has the shape of the space, a row-level one that of the
// rows, a column-level one that of a row. (The shape function gives the shape that the separate ops would give; the
// kernel refuses to run where that is another number of elements.)
struct Output {
  int reg = 0;  // an instruction
  // Of a row-level output, as Input has it; of a column-level one whether the
  // dimensions before the row's are there with extent 1.
  bool keeps_dims = true;
};

struct Program {
  int row_rank = 0;
  std::vector<Input> inputs;
  std::vector<Instruction> instructions;
  std::vector<Output> outputs;

  int num_registers() const { return static_cast<int>(inputs.size() + instructions.size()); }
  DType type(int reg) const;
  Level level(int reg) const;
};

// Most of one program, checked when it is read.
inline constexpr int kMaxInstructions = 4096;
inline constexpr int kMaxInputs = 256;
inline constexpr int kMaxOutputs = 256;

// The order that programs are kept and run in: one-level instructions; then, for
// each phase, row-level ones, full-level ones and the ops over rows that close it.
// The phase of an instruction is the number of ops over rows that must be done
// before it, one after the other. So the full-level instructions of a phase are
// one segment. Keeps the order otherwise and renumbers registers; a program in
// this order stays as it is. The program has been checked.
Program Canonical(Program program);
// The phase of each instruction.
std::vector<int> PhasesOf(const Program& program);

// The attributes of the `_Cluster` node, in canonical order: Tin and Tout (list(type)), levels
// (list(int): of inputs, then instructions), ops, nodes (list(string)), types
// (list(type)), arities, operands (list(int), flat), values (list(float)),
// variants (list(bool)), outputs (list(int)), input_keeps_dims,
// output_keeps_dims (list(bool)), slices (list(int): for each sliced input, in order,
// its number, axis, begin and extent), row_rank (int), code (string: the machine code
// of the plan for it, or empty).
AttrMap ToAttrs(const Program& program);
// In canonical order. InvalidArgument, naming the attribute, where they are no program: sizes that do
// not fit each other, registers that are not there yet, levels that do not fit
// the kind, more than the limits above. Ops are looked up when a kernel is made.
Result<Program> FromAttrs(const AttrMap& attrs);

// Instructions that run as one loop: neighbours that are element-wise and of one
// level, or one instruction over rows. What compiled code stands in for.
struct Segment {
  Kind kind = Kind::kElementwise;
  Level level = Level::kFull;
  int begin = 0, end = 0;   // instructions
  std::vector<int> reads;   // registers from outside, in order of first use
  std::vector<int> writes;  // registers that later segments or the outputs read
};
std::vector<Segment> SegmentsOf(const Program& program);

// The loop of an element-wise segment, as compiled code has it. in[i] is
// reads[i], out[i] writes[i]; steps[i] is the elements that in[i] advances by for
// each vector: the lanes of the code, or 0 for a whole vector (64 bytes) of a
// repeated value.
// Runs `vectors` whole vectors; nothing need be aligned; out[i] may be in[j] where
// both advance alike.
using SegmentFn = void (*)(const void* const* in, const int64_t* steps, void* const* out, int64_t vectors);

}  // namespace millrace::cluster
