// Optimizer: gradients of a loss, and the update of variables by them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/ops/gradients/gradient.h"
#include "millrace/ops/training/variable.h"

namespace millrace {

struct GradientAndVariable {
  Gradient gradient;
  Variable variable;
};
using GradientsAndVariables = std::vector<GradientAndVariable>;

struct ComputeGradientsOptions {
  // Empty: the trainable variables.
  std::vector<Variable> variables = {};
  // The gradient that flows into the loss; not valid: ones.
  Output grad_loss = {};
};

struct ApplyGradientsOptions {
  // A variable that goes up by one after all updates; none where not valid.
  Variable global_step = {};
};

struct MinimizeOptions {
  std::vector<Variable> variables = {};  // empty: the trainable variables
  Variable global_step = {};
};

// What all optimisers share. One of each is in a file of its own; a program's own
// derives from this class and gives ApplyDense, and the rest as it needs.
//
//   AdamOptimizer optimizer(0.001);
//   Operation train = optimizer.Minimize(root, loss);
//
// or, to look at the gradients in between:
//
//   GradientsAndVariables gradients = optimizer.ComputeGradients(root, loss);
//   Operation train = optimizer.ApplyGradients(root, ClipByGlobalNorm(root, gradients, 5.0));
//
// Running the operation takes one step. State of the optimiser (momentum and the
// like) is in variables called after the variable and the optimiser, "w/Adam",
// "w/Adam_1", of the same kind (handle or reference), in the collection
// "variables". They are made by ApplyGradients: InitializeVariables comes after it.
//
// An optimiser belongs to one graph. Hyperparameters are numbers or scalar outputs,
// a schedule's learning rate for one. Errors go to the scope's status. Not
// thread-safe.
class Optimizer {
 public:
  virtual ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  // ComputeGradients and ApplyGradients in one. The updates come after the loss,
  // so a loss that is fetched in the same run is that of the old values, whatever
  // runs the graph. The operation is called after the optimiser, or as the scope
  // says (WithOpName).
  Operation Minimize(At at, const Output& loss, const MinimizeOptions& options = {});

  // The gradient of `loss` (floating-point, of any shape: its elements' sum) by
  // each variable, without gradient where the loss does not depend on it.
  virtual GradientsAndVariables ComputeGradients(At at, const Output& loss,
                                                 const ComputeGradientsOptions& options = {});

  // Entries without gradient are left out. InvalidArgument where none has one, a
  // variable comes twice, or a gradient has another dtype or shape than its
  // variable.
  virtual Operation ApplyGradients(At at, const GradientsAndVariables& gradients,
                                   const ApplyGradientsOptions& options = {});

  const std::string& name() const { return name_; }
  // The slot of a variable, "m" of Adam for one; not valid where there is none.
  Variable slot(const Variable& variable, std::string_view slot) const;
  // All variables that the optimiser made so far.
  const std::vector<Variable>& variables() const { return variables_; }

 protected:
  explicit Optimizer(std::string name) : name_(std::move(name)) {}

  // Before the first update of these variables (those with a gradient).
  virtual void CreateSlots(At at, const std::vector<Variable>& variables);
  // The update of one variable. `at` is a scope for it, placed with the variable.
  virtual Operation ApplyDense(At at, const Variable& variable, const Output& gradient) = 0;
  // The same where only some rows have a gradient: `values[i]` is that of row
  // `indices[i]`. Rows may repeat; the default adds those up and calls ApplyRows.
  virtual Operation ApplySparse(At at, const Variable& variable, const Output& values, const Output& indices);
  // No row comes twice. The default fails: the optimiser cannot do it.
  virtual Operation ApplyRows(At at, const Variable& variable, const Output& values, const Output& indices);
  // What else a step does, after the updates (Adam's powers); adds to them.
  virtual void Finish(At at, std::vector<Operation>* updates);

  // For CreateSlots. Makes the slot unless it is there; the variable's node is
  // called after the variable and the optimiser.
  Variable AddSlot(At at, const Variable& variable, std::string_view slot, const Initializer& initializer);
  // A scalar float variable called `name`, placed with `with`.
  Variable AddCounter(At at, std::string_view name, const Operand& initial_value, const Variable& with);
  // For updates: a hyperparameter as a scalar of `dtype`, made once a step and
  // called `name`.
  Output Hyper(std::string_view name, const Operand& value, DType dtype);
  // For updates: a node of op "ApplyX" for references and "ResourceApplyX" for
  // handles, with variables' handles first.
  Operation Update(At at, std::string_view op, const std::vector<Variable>& variables,
                   const std::vector<Operand>& operands, AttrMap attrs = {});

 private:
  Operation UpdateOne(At at, const Variable& variable, const Gradient& gradient);

  const std::string name_;
  std::map<std::pair<const Node*, std::string>, Variable> slots_;
  std::vector<Variable> variables_;
  std::optional<Scope> step_scope_;  // of the current ApplyGradients
  std::map<std::pair<std::string, DType>, Output> hyper_;
};

}  // namespace millrace
