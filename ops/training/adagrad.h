#pragma once

#include "millrace/ops/training/optimizer.h"

namespace millrace {

struct AdagradOptions {
  // Positive.
  double initial_accumulator_value = 0.1;
  std::string name = "Adagrad";
};

// accum += gradient^2; var -= learning_rate * gradient / sqrt(accum). Slot
// "accumulator". A sparse gradient touches its rows only, slot included.
class AdagradOptimizer final : public Optimizer {
 public:
  explicit AdagradOptimizer(Operand learning_rate, const AdagradOptions& options = {})
      : Optimizer(options.name),
        learning_rate_(std::move(learning_rate)),
        initial_accumulator_value_(options.initial_accumulator_value) {}

 private:
  void CreateSlots(At at, const std::vector<Variable>& variables) override;
  Operation ApplyDense(At at, const Variable& variable, const Output& gradient) override;
  Operation ApplyRows(At at, const Variable& variable, const Output& values, const Output& indices) override;

  const Operand learning_rate_;
  const double initial_accumulator_value_;
};

}  // namespace millrace
