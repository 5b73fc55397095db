#pragma once

#include "millrace/ops/training/optimizer.h"

namespace millrace {

struct AdadeltaOptions {
  Operand rho = 0.95, epsilon = 1e-8;
  std::string name = "Adadelta";
};

// accum = rho accum + (1 - rho) gradient^2;
// step = sqrt(accum_update + epsilon) / sqrt(accum + epsilon) * gradient;
// accum_update = rho accum_update + (1 - rho) step^2; var -= learning_rate step.
// Slots "accum" and "accum_update". A sparse gradient touches its rows only, slots
// included.
class AdadeltaOptimizer final : public Optimizer {
 public:
  explicit AdadeltaOptimizer(Operand learning_rate = 0.001, const AdadeltaOptions& options = {})
      : Optimizer(options.name), learning_rate_(std::move(learning_rate)), options_(options) {}

 private:
  void CreateSlots(At at, const std::vector<Variable>& variables) override;
  Operation ApplyDense(At at, const Variable& variable, const Output& gradient) override;
  Operation ApplyRows(At at, const Variable& variable, const Output& values, const Output& indices) override;

  const Operand learning_rate_;
  const AdadeltaOptions options_;
};

}  // namespace millrace
