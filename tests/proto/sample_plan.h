// A small plan that uses every part of the format.
#pragma once

#include "millrace/proto/plan/plan.h"

namespace millrace {

// w: a variable of [3,1]. "train" multiplies x[batch,3] by it; the plan also has
// a loop, a branch, a call, stacks, a string constant and code.
plan::Plan SamplePlan();

}  // namespace millrace
