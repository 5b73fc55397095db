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
  // Groups of an input of level kRow or kFull that does not lie as its level does and
  // has more than one element; `groups` has room for kMaxAccessGroups. Returns how
  // many.
  int GroupsOf(const Input& input, const TensorView& view, AccessGroup* groups) const;
  // Whether its elements are those of its level, one after the other.
  bool IsDense(const Input& input, const TensorView& view) const {
    return !input.sliced() && view.num_elements == elements(input.level);
  }

  int64_t rows = 1, length = 1, total = 1;  // without row dimensions: one row of all

 private:
  Status Overflow() const;
  int rank_ = 0, row_rank_ = 0;
  int64_t dims_[Shape::kMaxRank];
};

// An input as the program sees it: its extent along an axis, its first element, how
// many there are.
inline int64_t ExtentOf(const Input& input, const TensorView& view, int axis) {
  return axis == input.slice_axis ? input.slice_extent : view.dims[axis];
}
char* DataOf(const Input& input, const TensorView& view);
int64_t ElementsOf(const Input& input, const TensorView& view);

}  // namespace millrace::cluster
