// Validate: whether a Plan makes sense by itself.
#pragma once

#include "millrace/proto/plan/plan.h"
#include "millrace/proto/value/status.h"

namespace millrace::plan {

// Blocks run on the caller's stack, so they are not nested deeper than this.
inline constexpr int kMaxNesting = 64;

// Every index is in range and refers to what its place asks for; expressions
// refer to earlier ones; aliases and blocks that contain each other have no
// cycle; a step comes after what it waits for and after the step that makes its
// inputs; no step writes into feeds or constants; contents of constants have
// the size that dtype and dims ask for; counts of arguments and results agree.
// InvalidArgument names the table, the index, expected and found.
//
// What stays for the loader: whether ops exist, and what depends on the feeds
// (extents, whether values fit into their slots, symbols that no feed binds).
// Linear in the size of the plan.
Status Validate(const Plan& plan);

}  // namespace millrace::plan
