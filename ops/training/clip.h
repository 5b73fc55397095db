// Clipping: tensors and gradients kept within bounds.
#pragma once

#include <vector>

#include "millrace/ops/training/optimizer.h"

namespace millrace {

// Each element within [low, high]; a lower bound above the upper one wins. The
// result of slices is slices of the clipped values.
Output ClipByValue(At at, const Output& x, const Operand& low, const Operand& high);
Gradient ClipByValue(At at, const Gradient& gradient, const Operand& low, const Operand& high);

// x, scaled down where its L2 norm is above `clip_norm` so that it is that. `axes`
// ask for norms along these dimensions; without them it is that of all elements.
// Slices count by their values: rows that repeat are not added up.
Output ClipByNorm(At at, const Output& x, const Operand& clip_norm, const std::vector<int>& axes = {});
Gradient ClipByNorm(At at, const Gradient& gradient, const Operand& clip_norm);

// The L2 norm of all elements of all gradients: sqrt(sum of squares). Slices
// count by their values; what is none counts for nothing. InvalidArgument where
// all are none.
Output GlobalNorm(At at, const std::vector<Gradient>& gradients);

struct ClippedByGlobalNorm {
  std::vector<Gradient> gradients;  // none where they were
  Output global_norm;               // before clipping
};
// All gradients scaled by the same factor, clip_norm / max(global norm, clip_norm).
// A norm that is not finite makes all of them NaN, so that it is seen.
ClippedByGlobalNorm ClipByGlobalNorm(At at, const std::vector<Gradient>& gradients, const Operand& clip_norm);
// The same for what an optimiser's ComputeGradients gives.
GradientsAndVariables ClipByGlobalNorm(At at, const GradientsAndVariables& gradients, const Operand& clip_norm);

}  // namespace millrace
