// What the op of an instruction does in a cluster.
#pragma once

#include <string_view>

#include "millrace/ops/cluster/program.h"

namespace millrace::cluster {

// Ops over rows by name; every other op counts as element-wise, and must have an
// Expression when a kernel is made.
Kind KindOf(std::string_view op);
// "ArgMax", "ArgMin": reductions whose result is an index, over the last dimension.
bool IsIndexOf(std::string_view op);

}  // namespace millrace::cluster
