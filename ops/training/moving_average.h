// ExponentialMovingAverage: smoothed copies of variables.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "millrace/ops/training/variable.h"

namespace millrace {

struct MovingAverageOptions {
  // Where valid, a step variable for one: the decay is min(decay, (1 + n) / (10 + n))
  // with n its value, so that averages move faster in the beginning.
  Variable num_updates = {};
  std::string name = "ExponentialMovingAverage";
};

// average = decay * average + (1 - decay) * variable, for each variable.
//
//   ExponentialMovingAverage averages(0.999, {.num_updates = step});
//   Operation train = optimizer.Minimize(root, loss, {.global_step = step});
//   Operation update = averages.Apply(root.WithControlDependencies(train), TrainableVariables(root));
//
// Averages are variables called "w/ExponentialMovingAverage", not trainable, that
// begin with the variable's initial value. Errors go to the scope's status.
class ExponentialMovingAverage {
 public:
  explicit ExponentialMovingAverage(Operand decay, const MovingAverageOptions& options = {})
      : decay_(std::move(decay)), options_(options) {}

  // One operation that updates all averages. Variables and num_updates are read
  // after the scope's control dependencies. It makes the averages of variables
  // that have none yet. Floating-point variables with an initial value. It is
  // called like `name`, or as the scope says (WithOpName).
  Operation Apply(At at, const std::vector<Variable>& variables);

  // Not valid where Apply has not seen the variable.
  Variable average(const Variable& variable) const;

 private:
  const Operand decay_;
  const MovingAverageOptions options_;
  std::map<const Node*, Variable> averages_;
};

}  // namespace millrace
