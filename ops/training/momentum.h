#pragma once

#include "millrace/ops/training/optimizer.h"

namespace millrace {

struct MomentumOptions {
  // Nesterov's: the step looks ahead along the accumulated gradient.
  bool use_nesterov = false;
  std::string name = "Momentum";
};

// accum = momentum * accum + gradient; var -= learning_rate * accum. With
// Nesterov's, var -= learning_rate * (gradient + momentum * accum). Slot
// "momentum". A sparse gradient touches its rows only, slot included.
class MomentumOptimizer final : public Optimizer {
 public:
  MomentumOptimizer(Operand learning_rate, Operand momentum, const MomentumOptions& options = {})
      : Optimizer(options.name),
        learning_rate_(std::move(learning_rate)),
        momentum_(std::move(momentum)),
        use_nesterov_(options.use_nesterov) {}

 private:
  void CreateSlots(At at, const std::vector<Variable>& variables) override;
  Operation ApplyDense(At at, const Variable& variable, const Output& gradient) override;
  Operation ApplyRows(At at, const Variable& variable, const Output& values, const Output& indices) override;

  const Operand learning_rate_, momentum_;
  const bool use_nesterov_;
};

}  // namespace millrace
