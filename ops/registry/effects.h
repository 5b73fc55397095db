// Which inputs of a node the effects of its op are on.
#pragma once

#include "absl/functional/function_ref.h"
#include "millrace/ops/registry/op.h"

namespace millrace {

// Calls `visit` for every input whose resource a node of `op` reads or writes. An
// effect names an argument of the signature; of a list it is on every element, of a
// list of types on those that are references or handles. Attributes that are not
// there count as empty lists.
void VisitAccesses(const Op& op, const AttrMap& attrs, absl::FunctionRef<void(int input, bool write)> visit);

}  // namespace millrace
