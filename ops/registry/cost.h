// Cost: the arithmetic of a node, where its shapes tell it. For profiles and
// reports; nothing is decided by it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "millrace/devices/api/tensor.h"
#include "millrace/proto/value/attr.h"

namespace millrace {

// Multiplications and additions of one run of `op` over these tensors: products
// and convolutions, their gradients and the fused forms of both. 0 for other ops,
// and where the shapes are not those of such an op.
double FloatingPointOps(std::string_view op, const AttrMap& attrs, std::span<const TensorView> inputs,
                        std::span<const TensorView> outputs);

}  // namespace millrace
