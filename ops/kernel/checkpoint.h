// Checkpoint: how a kernel that cannot split its work keeps an eye on the run's
// deadline and its cancel token. Not for kernels that write state: those run to
// their end.
#pragma once

#include <algorithm>
#include <cstdint>

#include "millrace/ops/kernel/kernel.h"

namespace millrace {

// Of one thread. A loop says what it does, and every so often that is worth a look:
//
//   Checkpoint checkpoint(ctx);
//   for (...) {
//     if (checkpoint.Reached(cycles of one round)) return Checkpoint::Stopped();
class Checkpoint {
 public:
  // Between two looks: about a third of a millisecond, some thousand times what a
  // look takes.
  static constexpr double kCycles = 1e6;

  explicit Checkpoint(const KernelContext& ctx) : ctx_(ctx) {}

  // Counts `cycles` (a guess will do). True where the run is to stop, now and from
  // then on.
  bool Reached(double cycles) {
    spent_ += cycles;
    if (spent_ < kCycles) [[likely]]
      return false;
    return Look();
  }

  // body(begin, end) for pieces of [0, total), one after the other, each round of
  // `cycles`. False where the run is to stop.
  template <typename Body>
  bool Each(int64_t total, double cycles, const Body& body) {
    const auto piece = static_cast<int64_t>(std::max(1.0, kCycles / std::max(cycles, 0.01)));
    for (int64_t begin = 0; begin < total;) {
      const int64_t end = total - begin > piece ? begin + piece : total;
      if (Reached(cycles * static_cast<double>(end - begin))) return false;
      body(begin, end);
      begin = end;
    }
    return true;
  }

  // What the kernel then answers.
  static Status Stopped() { return Cancelled("the run was cancelled"); }
  // The same for kernels whose checkpoints are in the bodies of a ParallelFor, behind
  // it.
  static Status Outcome(const KernelContext& ctx) { return ctx.cancelled() ? Stopped() : OkStatus(); }

 private:
  bool Look() {
    if (ctx_.cancelled()) return true;  // spent_ stays what it is
    spent_ = 0;
    return false;
  }

  const KernelContext& ctx_;
  double spent_ = 0;
};

}  // namespace millrace
