// What one thread works with while a program runs: where each register is at the
// moment. See run.cc.
#pragma once

#include <mutex>

#include "millrace/ops/cluster/prepared.h"
#include "millrace/ops/expr/access.h"
#include "millrace/ops/kernel/kernel.h"

namespace millrace::cluster {

// How an input lies under the space (a full-level one) or the rows.
struct InputState {
  enum class Kind : uint8_t { kUnused, kDense, kOne, kGeneral };
  Kind kind = Kind::kUnused;
  bool same_rows = false;
  const char* data = nullptr;
  size_t size = 0;
  Access access;        // of a general one
  size_t expanded = 0;  // its place in a frame, for what cannot be read where it is
  int64_t run = 0;      // of a general one: how far it goes on in one way
};

// The failed check of the earliest instruction, and of that the first element.
class Failure {
 public:
  void Report(int step, int64_t position, Status status);
  bool Take(Status* status, int* step) const;

 private:
  mutable std::mutex mutex_;
  int step_ = 0;
  int64_t position_ = 0;
  Status status_;
};

// Offsets in a frame's memory; element counts that registers have room for.
struct FrameLayout {
  int64_t block = 0;  // elements of a block
  int64_t whole = 0;  // elements of the rows that are worked on at once
  int64_t rows = 1;   // those rows
  size_t at = 0, tail = 0, moves = 0, in_place = 0, cached = 0, tails = 0, arguments = 0;
  size_t local = 0, whole_rows = 0, row_values = 0, ones = 0, splats = 0, spread = 0, workspace = 0, states = 0;
  size_t tail_bytes = 0;  // of one register
  size_t row_room = 0;    // elements of a row-level register, where there are several rows
  size_t bytes = 0;
};

// A program with the inputs and outputs of one run.
struct Bound {
  Bound(const Prepared& prepared, const KernelContext& context) : p(prepared), ctx(context) {}
  // Where an output goes; null where nobody wants it.
  char* output(size_t o) const {
    const int i = static_cast<int>(o);
    return ctx.output_wanted(i) ? ctx.output(i).as<char>() : nullptr;
  }

  const Prepared& p;
  const KernelContext& ctx;
  const Placement* placement = nullptr;
  const InputState* inputs = nullptr;
  FrameLayout layout;
  bool direct = false;  // full-level outputs are written where they go
};

class Frame {
 public:
  // Over `memory`, of bound.layout.bytes. One-level registers are those of the frame
  // at `main`; row-level ones and whole rows are too where `shares_rows`.
  Frame(const Bound& bound, char* memory, char* main, bool shares_rows, Failure& failure)
      : b_(bound), memory_(memory), main_(main), rows_(shares_rows ? main : memory), failure_(&failure) {}

  // Sets up every register that does not move. Once in a run for each memory.
  void Init();

  char*& at(int id) { return At()[id]; }

  // The instructions that run once.
  void RunOne();
  // Row-level inputs of `rows` rows from `row` on.
  void LoadRows(int64_t row, int64_t rows);
  // The row-level instructions of the phase, and what its full-level ones need of
  // row values, for rows of `length` elements.
  void RunRows(const Phase& phase, int64_t row, int64_t rows, int64_t length);
  // Full-level registers of the elements [first, first + count) of the space, which
  // are at `offset` in the rows; the instructions of the phase.
  void RunBlock(const Phase& phase, int64_t first, int64_t offset, int64_t count);
  // Registers of whole rows at their start, which is element `first`.
  void SetRows(int64_t first);
  void LoadWhole(const Phase& phase, int64_t first, int64_t count);
  // After a block, and after rows: outputs that were kept back.
  void StoreBlock(const Phase& phase, int64_t first, int64_t count);
  // `rows` rows from `row` on are elements [first, first + count).
  void StoreRows(int64_t row, int64_t rows, int64_t first, int64_t count);
  // The result of an op over one row, for readers of any number of lanes.
  void Spread(const RowStep& step);

  void* state(int k) { return memory_ + b_.layout.states + static_cast<size_t>(k) * kStateStride; }
  char* workspace() { return memory_ + b_.layout.workspace; }
  static constexpr size_t kStateStride = (reduce::kRowStateBytes + 63) / 64 * 64;

 private:
  char** At() { return reinterpret_cast<char**>(memory_ + b_.layout.at); }
  char** Tail() { return reinterpret_cast<char**>(memory_ + b_.layout.tail); }
  int64_t* Moves() { return reinterpret_cast<int64_t*>(memory_ + b_.layout.moves); }
  bool* InPlace() { return reinterpret_cast<bool*>(memory_ + b_.layout.in_place); }
  char* TailOf(int id) { return memory_ + b_.layout.tails + static_cast<size_t>(id) * b_.layout.tail_bytes; }
  size_t Size(int id) const { return b_.p.sizes[static_cast<size_t>(id)]; }

  void LoadBlock(int input, int64_t first, int64_t count, bool whole);
  void SetTails(const Phase& phase, int64_t done, int64_t rest);
  void SetMoving(int64_t first, int64_t offset);
  void RunSteps(const StepRange& range, char* const* table, int64_t count, int64_t position);
  bool Passes(const Check& check, char* const* table, int64_t count, int64_t position);
  void RunCode(const StepRange& range, char* const* table, int64_t count);
  void RunSingle(const StepRange& range);

  const Bound& b_;
  char *const memory_, *const main_, *const rows_;
  Failure* const failure_;
};

}  // namespace millrace::cluster
