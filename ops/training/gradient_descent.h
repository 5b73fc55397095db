#pragma once

#include "millrace/ops/training/optimizer.h"

namespace millrace {

struct GradientDescentOptions {
  std::string name = "GradientDescent";
};

// var -= learning_rate * gradient. A sparse gradient touches its rows only.
class GradientDescentOptimizer final : public Optimizer {
 public:
  explicit GradientDescentOptimizer(Operand learning_rate, const GradientDescentOptions& options = {})
      : Optimizer(options.name), learning_rate_(std::move(learning_rate)) {}

 private:
  Operation ApplyDense(At at, const Variable& variable, const Output& gradient) override;
  Operation ApplySparse(At at, const Variable& variable, const Output& values, const Output& indices) override;

  const Operand learning_rate_;
};

}  // namespace millrace
