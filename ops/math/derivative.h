// What the gradient functions of element-wise ops share.
#pragma once

#include "millrace/ops/builder/operators.h"
#include "millrace/ops/gradients/gradient_context.h"

namespace millrace::math {

// The gradient of input `i`, of the result's shape, from the partial derivative
// by it: grad * derivative, conjugated.
inline void SetDerivative(GradientContext& g, const Output& derivative, int i = 0) {
  g.set(i, g.grad() * g.Conj(derivative));
}
// The same from one over the derivative, which spares a rounding.
inline void SetQuotient(GradientContext& g, const Output& inverse, int i = 0) { g.set(i, g.grad() / g.Conj(inverse)); }
// Of operands that broadcast.
inline void SetBroadcastDerivative(GradientContext& g, int i, const Output& derivative) {
  g.SetBroadcast(i, g.grad() * g.Conj(derivative));
}

}  // namespace millrace::math
