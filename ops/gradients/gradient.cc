#include "millrace/ops/gradients/gradient.h"

#include "millrace/ops/builder/array_ops.h"

namespace millrace {

Output Gradient::ToDense(At at) const {
  if (!sparse_) return dense_;
  if (!slices_.dense_shape.valid()) {
    at.scope().Fail(InvalidArgument("a gradient of indexed slices without the shape of the whole cannot become dense"),
                    at.where());
    return {};
  }
  const Output rows = ops::StridedSlice(at, slices_.dense_shape, {0}, {1}, {1}, {.shrink_axis_mask = 1});
  return ops::UnsortedSegmentSum(at, slices_.values, slices_.indices, rows);
}

}  // namespace millrace
