// The space of one run: what the shapes of its inputs make of a program.
#pragma once

#include "millrace/ops/cluster/program.h"
#include "millrace/ops/expr/access.h"
#include "millrace/ops/kernel/kernel.h"
#include "millrace/proto/value/shape.h"

namespace millrace::cluster {

struct Space {
  // Left as it is until Find: a run pays for the dimensions that there are.
  Space() {}  // NOLINT(modernize-use-equals-default)

  // From the full-level inputs; Internal or InvalidArgument where they make none,
  // or where the outputs that are wanted have other numbers of elements.
  Status Find(const Program& program, const KernelContext& ctx);

  int rank() const { return rank_; }
  int64_t elements(Level level) const;
  // Groups of an input of level kRow or kFull that has another number of elements
  // than its level and more than one; `groups` has room for kMaxAccessGroups.
  // Returns how many.
  int GroupsOf(const Input& input, const TensorView& view, AccessGroup* groups) const;

  int64_t rows = 1, length = 1, total = 1;  // without row dimensions: one row of all

 private:
  Status Overflow() const;
  int rank_ = 0, row_rank_ = 0;
  int64_t dims_[Shape::kMaxRank];
};

}  // namespace millrace::cluster
