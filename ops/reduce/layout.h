// How a reduction lies in memory, and the shape function that reductions share.
#pragma once

#include <cstdint>
#include <span>

#include "millrace/ops/array/operands.h"
#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/registry/inference.h"

namespace millrace::reduce {

using array::Ints;

// Neighbouring dimensions that are all reduced, or all kept.
struct Group {
  int64_t extent = 1;
  int64_t stride = 1;  // elements of the input
};

// The input as kept and reduced groups, outermost first. `inner` is the last
// group: contiguous, of stride 1; the others are in `kept` and `reduced`.
struct Layout {
  absl::InlinedVector<Group, 4> kept, reduced;
  Group inner;
  bool inner_reduced = true;
  int64_t kept_count = 1;     // product of `kept`
  int64_t reduced_count = 1;  // product of `reduced`
  Ints output_dims;

  // Elements that go into one result.
  int64_t ReducedElements() const { return reduced_count * (inner_reduced ? inner.extent : 1); }
};

// Reads the axes (input 1); InvalidArgument where one is out of range or there twice.
Status MakeLayout(const TensorView& input, const TensorView& axes, bool keep_dims, Layout* layout);

// Offset of the index-th combination of `groups`, in row-major order.
inline int64_t OffsetOf(std::span<const Group> groups, int64_t index) {
  if (groups.size() == 1) return index * groups[0].stride;
  int64_t offset = 0;
  for (size_t k = groups.size(); k-- > 0;) {
    offset += (index % groups[k].extent) * groups[k].stride;
    index /= groups[k].extent;
  }
  return offset;
}

// Output 0 of a reduction of input 0 over the axes in input 1, by keep_dims.
Status ReductionShape(InferenceContext& ctx);
// The same, which also says the result over a vector of extents: they are folded
// by `combine`, from `initial`.
Status FoldShape(InferenceContext& ctx, Dim (DimTable::*combine)(Dim, Dim), Dim initial);

}  // namespace millrace::reduce
