// What Equal and NotEqual have beyond their expressions: strings, and shapes that
// do not broadcast.
#pragma once

#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/registry/inference.h"

namespace millrace::math {

// The broadcast shape; a scalar where the shapes do not broadcast and
// incompatible_shape_error is false.
Status EqualityShape(InferenceContext& c);

Result<std::unique_ptr<Kernel>> NewEqual(const KernelInit& init);
Result<std::unique_ptr<Kernel>> NewNotEqual(const KernelInit& init);
Result<std::unique_ptr<Kernel>> NewStringEqual(const KernelInit& init);
Result<std::unique_ptr<Kernel>> NewStringNotEqual(const KernelInit& init);

}  // namespace millrace::math
