// Shapes and kernels of Select: its condition may be a vector that chooses rows.
#pragma once

#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/registry/inference.h"

namespace millrace::math {

Status SelectShape(InferenceContext& c);
Status SelectV2Shape(InferenceContext& c);
Status ClipShape(InferenceContext& c);

// Of Select with plain elements; of both with strings.
Result<std::unique_ptr<Kernel>> NewSelect(const KernelInit& init);
Result<std::unique_ptr<Kernel>> NewStringSelect(const KernelInit& init);
Result<std::unique_ptr<Kernel>> NewStringSelectV2(const KernelInit& init);

}  // namespace millrace::math
