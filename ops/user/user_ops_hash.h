// What a plan remembers of ops that are not built in.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "millrace/ops/registry/op.h"
#include "millrace/proto/plan/plan.h"

namespace millrace {

// The ops of the plan's steps that are not built in.
std::set<std::string> UserOps(const plan::Plan& plan);

// A hash over the signatures of those ops, UserOps of a plan, as `registry` has
// them; 0 where there are none. A plan carries it, so that a host whose op of that
// name means something else refuses the plan. Ops that the registry does not have
// count by their name.
uint64_t UserOpsHash(const std::set<std::string>& ops, const Registry& registry);

}  // namespace millrace
