// CallLike: an op with the attributes of the node that is differentiated.
#pragma once

#include <string_view>
#include <vector>

#include "millrace/ops/gradients/gradient_context.h"

namespace millrace {

// Adds a node of `op` that has, of the attributes of the node `g` differentiates,
// those that `op` has by the same name: what windows, strides, formats and so on
// are to both. `changes` are put in their place. Types and numbers that follow
// from the arguments are left to them.
//
//   g.set(0, CallLike(g, "LRNGrad", {g.grad(), g.input(), g.output()}));
Operation CallLike(GradientContext& g, std::string_view op, const std::vector<Argument>& arguments,
                   AttrMap changes = {});

}  // namespace millrace
