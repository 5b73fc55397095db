#include "millrace/ops/training/gradient_descent.h"

#include "millrace/ops/builder/math_ops.h"

namespace millrace {

Operation GradientDescentOptimizer::ApplyDense(At at, const Variable& variable, const Output& gradient) {
  return Update(at, "ApplyGradientDescent", {variable},
                {Hyper("learning_rate", learning_rate_, variable.dtype()), gradient});
}

// The sum over rows that repeat is that of the differences: no need to add first.
Operation GradientDescentOptimizer::ApplySparse(At at, const Variable& variable, const Output& values,
                                                const Output& indices) {
  return variable.ScatterSub(at, indices,
                             ops::Mul(at, values, Hyper("learning_rate", learning_rate_, variable.dtype())));
}

}  // namespace millrace
