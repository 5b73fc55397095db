// A node by its exact name. Internal to the folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "millrace/ops/builder/scope.h"

namespace millrace {

// Adds a node of that very name, which is free, with the device, attributes and
// control inputs of the scope, and after `after`. For the last node of a call
// that made a scope for its nodes: it is called like the scope.
Operation AddOperation(At at, std::string name, std::string_view op, const std::vector<Operation>& after,
                       const std::vector<Output>& inputs = {}, AttrMap attrs = {});

// "outer/name" of the scope "outer/name/".
inline std::string NameOf(const Scope& scope) { return scope.name_scope().substr(0, scope.name_scope().size() - 1); }

}  // namespace millrace
