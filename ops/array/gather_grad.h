// The gradient of what takes slices of a table; for variables too (state/).
#pragma once

#include "millrace/ops/array/extents.h"
#include "millrace/ops/gradients/gradient_context.h"

namespace millrace::array {

// A table as one of four dimensions: those before batch_dims, those between them
// and the axis, the axis, and those behind it.
struct GatherTable {
  Extents shape;
  Extents batch, outer, length, inner;

  // 0 <= batch_dims <= axis < rank.
  static GatherTable Along(const Extents& shape, int axis, int batch_dims);
};

// The gradient of a table from which slices along its axis were taken by
// `indices`, each batch by itself; `grad` is that of the slices.
Output GatherGradient(At at, const Output& grad, const GatherTable& table, const Output& indices, int batch_dims);
// The same where rows (axis 0) were taken: slices.
Gradient GatherRowsGradient(At at, const Output& grad, const Extents& table, const Output& indices);

}  // namespace millrace::array
