// What a plan remembers of ops that are not built in.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "millrace/ops/registry/op.h"

namespace millrace {

// A hash over the signatures of those of `ops` (names) that are not built in, as
// `registry` has them; 0 where all are. A plan carries it, so that a host whose
// op of that name means something else refuses the plan. Ops that the registry
// does not have count by their name.
uint64_t UserOpsHash(const std::set<std::string>& ops, const Registry& registry);

}  // namespace millrace
