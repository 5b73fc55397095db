#pragma once

#include <functional>

#include "millrace/ops/training/adam.h"

namespace millrace {

struct AdamWOptions {
  Operand weight_decay = 0.01;
  Operand beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  // The variables that decay; all where there is no function.
  std::function<bool(const Variable&)> decays = {};
  std::string name = "AdamW";
};

// Adam with decoupled weight decay: after Adam's update of a variable, however
// sparse, var -= learning_rate * weight_decay * var. Slots as Adam's,
// called after this one ("w/AdamW").
class AdamWOptimizer final : public AdamOptimizer {
 public:
  explicit AdamWOptimizer(Operand learning_rate = 0.001, const AdamWOptions& options = {})
      : AdamOptimizer(
            std::move(learning_rate),
            {.beta1 = options.beta1, .beta2 = options.beta2, .epsilon = options.epsilon, .name = options.name}),
        weight_decay_(options.weight_decay),
        decays_(options.decays) {}

 private:
  Operation ApplyDense(At at, const Variable& variable, const Output& gradient) override;
  Operation ApplyRows(At at, const Variable& variable, const Output& values, const Output& indices) override;
  Operation Decay(At at, const Variable& variable, const Operation& update);

  const Operand weight_decay_;
  const std::function<bool(const Variable&)> decays_;
};

}  // namespace millrace
