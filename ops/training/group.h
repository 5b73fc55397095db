// Group: several operations as one.
#pragma once

#include <string_view>
#include <vector>

#include "millrace/ops/builder/scope.h"

namespace millrace {

// An operation that runs when all of these have run: a node of op NoOp, called
// `name` unless the scope says otherwise (WithOpName).
Operation Group(At at, const std::vector<Operation>& operations, std::string_view name = "group_deps");

}  // namespace millrace
