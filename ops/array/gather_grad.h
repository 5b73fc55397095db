// The gradient of what takes slices of a table; for variables too (state/).
#pragma once

#include "millrace/ops/array/extents.h"
#include "millrace/ops/gradients/gradient_context.h"

namespace millrace::array {

// The gradient of a table of shape `table`, from which slices along `axis` were
// taken by `indices`, each of the first `batch_dims` dimensions by itself; `grad`
// is that of the slices. 0 <= batch_dims <= axis; the rank of the table is known
// unless axis is 0. Rows (axis 0) give slices, other axes a dense tensor.
Gradient GatherGradient(At at, const Output& grad, const Extents& table, const Output& indices, int axis,
                        int batch_dims);

}  // namespace millrace::array
