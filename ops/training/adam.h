#pragma once

#include "millrace/ops/training/optimizer.h"

namespace millrace {

struct AdamOptions {
  Operand beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  std::string name = "Adam";
};

// m = beta1 m + (1 - beta1) gradient; v = beta2 v + (1 - beta2) gradient^2;
// var -= learning_rate sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon)
// at step t. Slots "m" and "v"; the powers are in variables "beta1_power" and
// "beta2_power". A sparse gradient counts as zero in the rows that it does not
// name: their slots decay and the variable moves by them, as in the original.
class AdamOptimizer : public Optimizer {
 public:
  explicit AdamOptimizer(Operand learning_rate = 0.001, const AdamOptions& options = {})
      : Optimizer(options.name), learning_rate_(std::move(learning_rate)), options_(options) {}

 protected:
  void CreateSlots(At at, const std::vector<Variable>& variables) override;
  Operation ApplyDense(At at, const Variable& variable, const Output& gradient) override;
  Operation ApplyRows(At at, const Variable& variable, const Output& values, const Output& indices) override;
  void Finish(At at, std::vector<Operation>* updates) override;

  const Operand learning_rate_;

 private:
  const AdamOptions options_;
  Variable beta1_power_, beta2_power_;
};

}  // namespace millrace
