// Variable: a tensor that outlives runs, as a program that builds a graph holds it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/ops/builder/operand.h"
#include "millrace/ops/builder/scope.h"
#include "millrace/ops/training/initializers.h"

namespace millrace {

struct VariableOptions {
  // A handle (VarHandleOp), or a reference (VariableV2) as older graphs have it.
  // A read of a handle is a value of its own; both give the same numbers.
  bool resource = true;
  // Optimisers train it: it is in the collection "trainable_variables" too.
  bool trainable = true;
  // Where not "": variables of this name are one, in whatever graph of a session's
  // container; else the node's name is the variable's.
  std::string shared_name = {}, container = {};
  // Of an initial value that is a literal; kInvalid: what the literal has itself.
  DType dtype = DType::kInvalid;
};

// A handle to a variable of a graph under construction; cheap to copy. It stands
// where a tensor is wanted and is its value there:
//
//   Variable w(root.WithOpName("w"), Shape({784, 10}), DType::kFloat, GlorotUniformInitializer());
//   Variable b(root.WithOpName("b"), {0.0, 0.0, 0.0});
//   Output y = ops::MatMul(root, x, w) + b;
//   Operation init = InitializeVariables(root);  // run it before anything else
//
// A new variable "w" is these nodes: "w", its initial value below "w/Initializer/"
// (a literal of a reference is "w/initial_value"), "w/Assign" and a read, "w/read"
// of a reference and "w/Read/ReadVariableOp" of a handle. It joins the collection
// "variables" and, unless told otherwise, "trainable_variables". Control
// dependencies of the scope do not hold for these nodes.
//
// Errors go to the scope's status; the variable is then not valid, and calls that
// get it do nothing. A run that reads it before it has a value fails with
// FailedPrecondition and its name.
class Variable {
 public:
  Variable() = default;
  // Of the dtype and shape of `initial_value`, as far as these are known: a
  // literal, a tensor, or an output; what that one needs is fed to the initialiser's
  // run.
  Variable(At at, const Operand& initial_value, const VariableOptions& options = {});
  // `shape` is fully known.
  Variable(At at, const Shape& shape, DType dtype, const Initializer& initializer, const VariableOptions& options = {});
  // The variable whose node (VariableV2, Variable or VarHandleOp) the graph has
  // already, an imported one for example, so that it can be trained. Its read and
  // its initialiser are those of the graph, where they are there. It joins the
  // collections as `trainable` says, once. NotFound where there is no such node.
  static Variable Existing(At at, std::string_view name, bool trainable = true);

  bool valid() const { return state_ != nullptr; }
  // The rest only where valid(), except for conversions.
  const std::string& name() const;
  DType dtype() const;
  // As declared; may have unknown parts.
  const Shape& shape() const;
  bool is_resource() const;
  bool trainable() const;

  // The reference or the handle. What Gradients takes to differentiate by the
  // variable, and what ops that write take.
  const Output& handle() const;
  // The value in a run that does not order this read against a write: the one
  // from before the run.
  const Output& value() const;
  operator Output() const { return valid() ? value() : Output(); }  // NOLINT: implicit on purpose
  // A read of its own, after the scope's control dependencies.
  Output Read(At at) const;

  // Sets the initial value. Not valid for an existing variable that nothing in the
  // graph assigns.
  const Operation& initializer() const;
  const Output& initial_value() const;
  // Whether it has a value: a bool.
  Output IsInitialized(At at) const;

  // Writes. They run when they are fetched, run or depended on; two that nothing
  // orders run in the order of their nodes.
  Operation Assign(At at, const Operand& value) const;
  Operation AssignAdd(At at, const Operand& delta) const;
  Operation AssignSub(At at, const Operand& delta) const;
  // The same for rows: `updates` is [n, ...], `indices` [n]; equal ones add up,
  // or the last one counts.
  Operation ScatterUpdate(At at, const Output& indices, const Operand& updates) const;
  Operation ScatterAdd(At at, const Output& indices, const Operand& updates) const;
  Operation ScatterSub(At at, const Output& indices, const Operand& updates) const;

  // Whether both are the same variable of the graph.
  friend bool operator==(const Variable& a, const Variable& b) { return a.state_ == b.state_; }

  struct State;
  explicit Variable(std::shared_ptr<const State> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<const State> state_;
};

// The variables of the collections "variables" and "trainable_variables", in the
// order in which they were made.
std::vector<Variable> Variables(const Scope& scope);
std::vector<Variable> TrainableVariables(const Scope& scope);

// One operation, "init", that gives all variables so far, or these, their initial
// values. An initial value that is computed from another variable's value needs
// that variable first: use its initial_value() instead.
Operation InitializeVariables(At at);
Operation InitializeVariables(At at, const std::vector<Variable>& variables);

}  // namespace millrace
