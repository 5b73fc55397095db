// The one place where the runtime touches what a variable is: the plan names
// variables, ops/state defines them.
#pragma once

#include "millrace/devices/api/tensor.h"
#include "millrace/ops/kernel/resource.h"
#include "millrace/proto/plan/plan.h"

namespace millrace::exec {

// The resource of a plan, found in `store` or made there. InvalidArgument where
// there is one of that name with another kind, dtype or shape; Unimplemented
// where the kind is not known.
Result<std::shared_ptr<Resource>> FindOrMakeResource(ResourceStore& store, const plan::Resource& resource);

// The variable's present content, shared, not copied: writers that find it held
// make a copy of their own. FailedPrecondition where it has none.
Result<Tensor> ReadVariable(Resource& resource);

}  // namespace millrace::exec
