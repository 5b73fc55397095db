// Learning rates that follow a step variable. Each call adds the nodes of a scalar
// of the learning rate's dtype (float for a number); give it to an optimiser.
// `step` is a scalar of any number dtype, GlobalStep(root) for one: the value from
// before the run, 0 in the first one.
//
//   Variable step = GlobalStep(root);
//   AdamOptimizer optimizer(LinearWarmup(root, CosineDecay(root, 0.01, step, 10000), step, 500));
//   Operation train = optimizer.Minimize(root, loss, {.global_step = step});
#pragma once

#include <vector>

#include "millrace/ops/builder/operand.h"
#include "millrace/ops/builder/scope.h"

namespace millrace {

struct StaircaseOption {
  // Whole periods only: step / decay_steps is rounded down.
  bool staircase = false;
};
// learning_rate * decay_rate ^ (step / decay_steps)
Output ExponentialDecay(At at, const Operand& learning_rate, const Output& step, const Operand& decay_steps,
                        const Operand& decay_rate, const StaircaseOption& options = {});
// learning_rate * exp(-decay_rate * step / decay_steps)
Output NaturalExpDecay(At at, const Operand& learning_rate, const Output& step, const Operand& decay_steps,
                       const Operand& decay_rate, const StaircaseOption& options = {});
// learning_rate / (1 + decay_rate * step / decay_steps)
Output InverseTimeDecay(At at, const Operand& learning_rate, const Output& step, const Operand& decay_steps,
                        const Operand& decay_rate, const StaircaseOption& options = {});

struct PolynomialDecayOptions {
  Operand end_learning_rate = 0.0001, power = 1.0;
  // Starts again over a longer period once decay_steps are over.
  bool cycle = false;
};
// (learning_rate - end) * (1 - min(step, decay_steps) / decay_steps) ^ power + end
Output PolynomialDecay(At at, const Operand& learning_rate, const Output& step, const Operand& decay_steps,
                       const PolynomialDecayOptions& options = {});

// values[i] as long as step <= boundaries[i], the last value afterwards.
// Boundaries rise; there is one value more than boundaries.
Output PiecewiseConstant(At at, const Output& step, const std::vector<double>& boundaries,
                         const std::vector<double>& values);

struct CosineDecayOptions {
  // Where it ends, as a part of learning_rate.
  Operand alpha = 0.0;
};
// learning_rate * ((1 - alpha) * (1 + cos(pi min(step, decay_steps) / decay_steps)) / 2 + alpha)
Output CosineDecay(At at, const Operand& learning_rate, const Output& step, const Operand& decay_steps,
                   const CosineDecayOptions& options = {});

// learning_rate * model_size ^ -0.5 * min(t ^ -0.5, t * warmup_steps ^ -1.5) with
// t = step + 1: up in a line, then down with the root.
Output NoamDecay(At at, const Operand& learning_rate, const Output& step, const Operand& model_size,
                 const Operand& warmup_steps);

// learning_rate * min(1, (step + 1) / warmup_steps): before any of the others.
Output LinearWarmup(At at, const Operand& learning_rate, const Output& step, const Operand& warmup_steps);

}  // namespace millrace
