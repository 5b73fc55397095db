#pragma once

#include "millrace/ops/training/optimizer.h"

namespace millrace {

struct FtrlOptions {
  // Zero or less: the rate falls with that power of the accumulated squares.
  Operand learning_rate_power = -0.5;
  // Zero or more.
  double initial_accumulator_value = 0.1;
  Operand l1 = 0.0, l2 = 0.0;
  // A penalty on the size of the variable in each gradient; none where 0.
  double l2_shrinkage = 0;
  std::string name = "Ftrl";
};

// Follow the regularised leader ("proximal"), with L1 and L2 regularisation:
// next = accum + gradient^2, p = -learning_rate_power;
// linear += gradient - (next^p - accum^p) / learning_rate * var; accum = next;
// var = (sign(linear) l1 - linear) / (next^p / learning_rate + 2 l2) where
// |linear| > l1, else 0. Slots "accum" and "linear". A sparse gradient touches its
// rows only, slots included.
class FtrlOptimizer final : public Optimizer {
 public:
  explicit FtrlOptimizer(Operand learning_rate, const FtrlOptions& options = {})
      : Optimizer(options.name), learning_rate_(std::move(learning_rate)), options_(options) {}

 private:
  void CreateSlots(At at, const std::vector<Variable>& variables) override;
  Operation ApplyDense(At at, const Variable& variable, const Output& gradient) override;
  Operation ApplyRows(At at, const Variable& variable, const Output& values, const Output& indices) override;
  Operation Apply(At at, std::string_view prefix, const Variable& variable, const Operands& gradient);

  const Operand learning_rate_;
  const FtrlOptions options_;
};

}  // namespace millrace
