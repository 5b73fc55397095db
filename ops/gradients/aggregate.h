// Several gradients of one tensor become one.
#pragma once

#include <vector>

#include "millrace/ops/gradients/gradient.h"

namespace millrace::gradients {

// The sum of `gradients`, none of which is none(): AddN of dense ones; slices
// are joined, one after the other; where both meet, slices become dense.
Gradient Aggregate(At at, const std::vector<Gradient>& gradients);

}  // namespace millrace::gradients
