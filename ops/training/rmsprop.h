#pragma once

#include "millrace/ops/training/optimizer.h"

namespace millrace {

struct RMSPropOptions {
  Operand decay = 0.9, momentum = 0.0, epsilon = 1e-10;
  // By the gradient's variance in place of its second moment.
  bool centered = false;
  std::string name = "RMSProp";
};

// ms = decay ms + (1 - decay) gradient^2; below = ms + epsilon, where centred
// mg = decay mg + (1 - decay) gradient and below = ms - mg^2 + epsilon;
// mom = momentum mom + learning_rate gradient / sqrt(below); var -= mom.
// Slots "rms" (from 1), "mg" where centred, and "momentum". A sparse gradient
// touches its rows only, slots included.
class RMSPropOptimizer final : public Optimizer {
 public:
  explicit RMSPropOptimizer(Operand learning_rate, const RMSPropOptions& options = {})
      : Optimizer(options.name), learning_rate_(std::move(learning_rate)), options_(options) {}

 private:
  void CreateSlots(At at, const std::vector<Variable>& variables) override;
  Operation ApplyDense(At at, const Variable& variable, const Output& gradient) override;
  Operation ApplyRows(At at, const Variable& variable, const Output& values, const Output& indices) override;
  Operation Apply(At at, std::string_view prefix, const Variable& variable, const Operands& gradient);

  const Operand learning_rate_;
  const RMSPropOptions options_;
};

}  // namespace millrace
