// Evaluate: one node on host tensors, in the caller's thread. What constant
// folding and tests use; the executor has its own way of running kernels.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "millrace/devices/api/tensor.h"
#include "millrace/ops/registry/op.h"

namespace millrace {

// Infers the shapes from the inputs' shapes and contents, then runs the op's CPU
// kernel with denormals flushed. Defaults of `attrs` are filled in; the dtypes of
// `inputs` are those that the attributes say. Outputs are new tensors of
// `allocator`, or share the memory of an input or constant. InvalidArgument where
// inputs or attributes do not fit, FailedPrecondition for ops that have effects
// (there is no state here), Unimplemented where there is no kernel, Cancelled where
// `cancelled` said so: it is asked as a run's deadline is looked at, between blocks of
// work and within long ones. Thread-safe.
Status Evaluate(const Op& op, const AttrMap& attrs, std::span<const Tensor> inputs, std::vector<Tensor>* outputs,
                Allocator& allocator = HostAllocator(), const std::function<bool()>& cancelled = {});

}  // namespace millrace
