// What the gradients of reductions share: the way from a result back to the
// elements it was made of. Written once for known and for open shapes and axes.
#pragma once

#include <optional>
#include <vector>

#include "millrace/ops/gradients/gradient_context.h"

namespace millrace::reduce {

// The reduced axes of the reduction g.node(), in order and from 0, where they and
// the rank are known.
std::optional<std::vector<int64_t>> ReducedAxes(const GradientContext& g);
// `result`, of the shape of the reduction's output, with the reduced dimensions
// as 1: it broadcasts against the input.
Output WithReducedDims(GradientContext& g, const Output& result);
// The same spread out to the shape of the input.
Output SpreadBack(GradientContext& g, const Output& result);
// How many elements went into one, as a scalar of the gradient's dtype.
Output ReducedCount(GradientContext& g);

}  // namespace millrace::reduce
