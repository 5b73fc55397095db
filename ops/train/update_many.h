// _UpdateMany: one step that does what several nodes of one op do to variables. The
// compiler makes such nodes of updates that are too small to be worth a step each.
#pragma once

#include <string_view>

#include "millrace/ops/registry/op.h"

namespace millrace::train {

inline constexpr std::string_view kUpdateManyOp = "_UpdateMany";

// Whether nodes of `op` can be run by _UpdateMany: a built-in op whose first inputs
// are variables, each written, and which gives back nothing but a reference.
bool IsUpdate(const Op& op);

}  // namespace millrace::train
