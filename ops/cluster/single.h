// Programs of which everything is one element, as scalar models and optimisers'
// settings are: a list of vector operations on slots, and nothing else to set up.
#pragma once

#include <memory>
#include <vector>

#include "millrace/ops/cluster/prepared.h"
#include "millrace/ops/kernel/kernel.h"

namespace millrace::cluster {

class SingleProgram {
 public:
  // Null for programs that need more: rows, checks of contents, compiled code.
  static std::unique_ptr<const SingleProgram> Make(const Prepared& prepared);

  // True where the inputs of this run have one element each.
  static bool Fits(const KernelContext& ctx);
  // As RunProgram.
  Status Run(KernelContext& ctx) const;

 private:
  // What it reads and writes are bytes from the start of the slots.
  struct Step {
    BodyFn run;
    uint32_t in[kMaxOperands];
    uint32_t out;
    uint32_t spread;  // the size of an element that is repeated over the slot, or 0
  };
  struct Place {
    uint32_t at;
    uint32_t size;
  };
  std::vector<Step> steps_;
  std::vector<Place> inputs_, outputs_;
  const char* constants_ = nullptr;  // kSplatBytes each, the first slots
  size_t constant_bytes_ = 0, bytes_ = 0;
};

}  // namespace millrace::cluster
