// Programs over few elements, as scalar models, optimisers' settings and single
// rows are: every register is there as a whole, the operations run one after the
// other, and nothing else is set up.
#pragma once

#include <vector>

#include "millrace/ops/cluster/prepared.h"
#include "millrace/ops/cluster/space.h"
#include "millrace/ops/kernel/kernel.h"

namespace millrace::cluster {

class SmallProgram {
 public:
  // `prepared` outlives it.
  explicit SmallProgram(const Prepared& prepared);

  bool Fits(const Space& space) const;
  // As RunProgram, for what fits.
  Status Run(const Space& space, KernelContext& ctx) const;

 private:
  // One of these is set; a check comes before its step.
  struct Call {
    const Step* step = nullptr;
    const Check* check = nullptr;
    const StepRange* code = nullptr;
    const RowStep* row = nullptr;
    // What one element of each row becomes over the row.
    int32_t spread_from = -1, spread_to = -1;
    int single_begin = 0, single_end = 0;  // of singles_
    Level level = Level::kFull;
  };
  // A step of level kOne: what it reads and writes are bytes from the start of the
  // memory.
  struct Single {
    BodyFn run;
    uint32_t in[kMaxOperands];
    uint32_t out;
    uint32_t spread;  // the size of an element that is repeated over the vector, or 0
  };
  // Registers of a level follow each other; `at` is in bytes for each element that
  // there is room for, of level kOne in bytes.
  struct Slot {
    int32_t id;
    Level level;
    uint32_t at;
  };

  static constexpr size_t kLevels = 4;

  class Maker;
  void LoadInput(const Space& space, const TensorView& view, size_t i, char** table) const;

  const Prepared& p_;
  std::vector<Call> calls_;
  std::vector<Single> singles_;
  std::vector<Slot> slots_;      // but for what only singles use
  std::vector<int64_t> moves_;   // of each id
  int64_t bytes_[kLevels] = {};  // of the slots of each level
  size_t arguments_ = 0;         // pointers that code needs
};

}  // namespace millrace::cluster
