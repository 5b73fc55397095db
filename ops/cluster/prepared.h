// A program as the kernel keeps it: bodies looked up, registers placed, phases in
// order. Made once, when a plan is loaded.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "millrace/ops/cluster/code.h"
#include "millrace/ops/cluster/program.h"
#include "millrace/ops/expr/expression.h"
#include "millrace/ops/nn/softmax.h"
#include "millrace/ops/reduce/rows.h"

namespace millrace {
class Registry;
}

namespace millrace::cluster {

// What an instruction reads and writes are ids: the registers of the program,
// then the spread form of row-level registers that full-level instructions read,
// then constants.
struct Step {
  BodyFn run = nullptr;
  int32_t lanes = 1;
  int32_t shift = 0;  // lanes is 1 << shift
  int32_t arity = 1;
  int32_t in[kMaxOperands] = {0, 0, 0};
  int32_t out = 0;
  // Where the result is a single value: whether readers need more of it than one
  // vector holds.
  bool spread = false;
};

// Looks at operands before they are used.
struct Check {
  int step;
  Status (*check)(std::span<const TensorView>);
};

// Neighbouring steps of one level.
struct StepRange {
  int begin = 0, end = 0;
  bool has_checks = false;
  // Stands in for the steps where it is set.
  CodeStore::Loop code;
  std::vector<int32_t> reads, writes;  // ids, as the code's arguments

  bool empty() const { return begin == end; }
};

// What closes a phase: a reduction or a function of rows.
struct RowStep {
  // One of these is set.
  const reduce::RowReducer* reduce = nullptr;
  const nn::SoftmaxFunction* softmax = nullptr;
  const reduce::ColumnReducer* columns = nullptr;
  int32_t column_step = 0;  // of columns: its number
  int32_t in = 0, out = 0;
  bool spread = false;
};

struct Phase {
  StepRange row, full;
  std::vector<RowStep> row_steps;
  std::vector<int32_t> inputs;        // full-level inputs that it reads
  std::vector<int32_t> spread;        // row-level registers whose spread form is first read here
  std::vector<int32_t> full_ids;      // full-level registers that it reads or writes
  std::vector<int32_t> whole_inputs;  // inputs that a function of rows reads
  std::vector<int32_t> outputs;       // full-level outputs that its steps make
};

// Where full-level registers lie. Local ones hold a block, whole ones a row.
struct Placement {
  struct Slot {
    int32_t id;
    bool whole;
    int64_t offset;  // in bytes for each element of a block, or of a row
  };
  std::vector<Slot> slots;
  int64_t local_bytes = 0, whole_bytes = 0;  // for each element
};

struct Prepared {
  Program program;
  std::vector<Step> steps;             // as the element-wise instructions of the program
  std::vector<int> step_instructions;  // of each step
  std::vector<Check> checks;           // in order of the steps
  StepRange one;                       // run once, first
  std::vector<Phase> phases;           // of one row after the other

  int num_ids = 0;
  std::vector<uint8_t> sizes;             // of an element of each id
  std::vector<DType> types;               // of each id
  std::vector<int32_t> spread_of;         // for ids from num_registers on: the row register
  std::vector<int32_t> constants;         // ids
  std::unique_ptr<char[]> splats;         // kSplatBytes for each constant
  std::vector<int32_t> row_ids, one_ids;  // registers of those levels
  std::vector<int32_t> last_read;         // of each input: the last instruction that reads it, or -1
  std::vector<bool> materialise;          // of each input: read by an op over rows

  // Registers that may be read or written in place have room for a tail: its
  // number, or -1.
  std::vector<int32_t> tails;
  int num_tails = 0;
  bool outputs_differ = true;  // no register is two outputs

  // A reduction of all rows to one.
  struct ColumnStep {
    const reduce::ColumnReducer* reduce;
    bool one_as_row;  // see columns.h
    int32_t out;
  };
  std::vector<ColumnStep> column_steps;

  int chooses = -1;  // an instruction that cannot do without elements in a row
  int max_lanes = 1;
  double full_cycles = 0;          // an element
  bool softmax_functions = false;  // there are some
  int64_t softmax_bytes = 0;       // workspace for each element of a row
  // Outputs written where they go, and outputs kept back until nothing is read.
  Placement direct, late;
  std::vector<uint8_t> late_whole;  // of each output: kept back in a whole row

  // Unimplemented where an op is not there, Internal where it is not element-wise, naming the node;
  // Unimplemented where it has no body for the types.
  static Result<std::unique_ptr<Prepared>> Make(Program program, const Registry& registry, const CodeStore* code,
                                                std::string_view symbol);
  // A failure of steps[step], or of an instruction, at its node.
  Status At(Status status, int step) const;
  Status AtInstruction(Status status, int instruction) const;
};

}  // namespace millrace::cluster
