// What a plan's compiled code needs of a CPU.
#pragma once

#include <string>

#include "millrace/proto/plan/plan.h"

namespace millrace::plan {

// The features of all code together: each word once, in order, a space between;
// "" where there is no code.
std::string AllFeatures(const Plan& plan);

}  // namespace millrace::plan
