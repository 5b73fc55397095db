#include "millrace/ops/cluster/space.h"

#include <algorithm>

#include "millrace/proto/value/strings.h"

namespace millrace::cluster {

Status Space::Overflow() const { return InvalidArgument("a cluster's space overflows"); }

Status Space::Find(const Program& program, const KernelContext& ctx) {
  for (size_t i = 0; i < program.inputs.size(); ++i) {
    if (program.inputs[i].level != Level::kFull) continue;
    const TensorView& input = ctx.input(static_cast<int>(i));
    if (input.rank > rank_) {
      std::copy_backward(dims_, dims_ + rank_, dims_ + input.rank);
      std::fill_n(dims_, input.rank - rank_, 1);
      rank_ = input.rank;
    }
    int64_t* const last = dims_ + (rank_ - input.rank);
    for (int d = 0; d < input.rank; ++d) {
      if (last[d] == 1) last[d] = ExtentOf(program.inputs[i], input, d);
    }
  }
  row_rank_ = program.row_rank;
  if (rank_ < row_rank_) return Internal(Cat("a cluster of rows with ", rank_, " dimensions"));
  for (int d = 0; d < rank_; ++d) {
    int64_t& product = d < rank_ - row_rank_ ? rows : length;
    if (__builtin_mul_overflow(product, dims_[d], &product)) return Overflow();
  }
  if (row_rank_ == 0) std::swap(rows, length);
  if (__builtin_mul_overflow(rows, length, &total)) return Overflow();
  for (size_t o = 0; o < program.outputs.size(); ++o) {
    const int64_t expected = elements(program.level(program.outputs[o].reg));
    const int64_t found = ctx.output(static_cast<int>(o)).num_elements;
    if (found == expected || !ctx.output_wanted(static_cast<int>(o))) continue;
    return Internal(Cat("output ", o, " of a cluster: expected ", expected, " elements, found ", found));
  }
  return OkStatus();
}

int64_t Space::elements(Level level) const {
  switch (level) {
    case Level::kOne:
      return 1;
    case Level::kRow:
      return rows;
    case Level::kFull:
      return total;
    case Level::kColumn:
      return length;
  }
  return 0;
}

char* DataOf(const Input& input, const TensorView& view) {
  if (!input.sliced()) return view.as<char>();
  int64_t distance = static_cast<int64_t>(ElementSize(view.dtype));
  for (int d = input.slice_axis + 1; d < view.rank; ++d) distance *= view.dims[d];
  return view.as<char>() + input.slice_begin * distance;
}

int64_t ElementsOf(const Input& input, const TensorView& view) {
  if (!input.sliced()) return view.num_elements;
  int64_t count = 1;
  for (int d = 0; d < view.rank; ++d) count *= ExtentOf(input, view, d);
  return count;
}

namespace {

// Groups of a part of a tensor, whose dimensions are further apart than its extents
// say.
int GroupsOfPart(const Input& input, const TensorView& view, std::span<const int64_t> dims, AccessGroup* groups) {
  AccessGrouper grouper(groups);
  int64_t distance = 1;
  for (size_t i = 0; i < dims.size(); ++i) {
    const int axis = view.rank - 1 - static_cast<int>(i);
    grouper.Add(dims[dims.size() - 1 - i], axis >= 0 && ExtentOf(input, view, axis) != 1 ? distance : 0);
    if (axis >= 0) distance *= view.dims[axis];
  }
  return grouper.Finish();
}

}  // namespace

int Space::GroupsOf(const Input& input, const TensorView& view, AccessGroup* groups) const {
  if (input.sliced()) return GroupsOfPart(input, view, {dims_, static_cast<size_t>(rank_)}, groups);
  std::span<const int64_t> own = view.shape(), all(dims_, static_cast<size_t>(rank_));
  if (input.level == Level::kRow) {
    const auto row_rank = static_cast<size_t>(row_rank_);
    if (input.keeps_dims) own = own.first(own.size() - std::min(own.size(), row_rank));
    all = all.first(all.size() - row_rank);
  }
  return MakeAccessGroups(own, all, groups);
}

}  // namespace millrace::cluster
