// What becomes a step of the plan and what does not; what makes
// resources. Shared by the passes of the schedule phase and by emit.
#pragma once

#include "millrace/compiler/dialect/Graph.h"

namespace millrace::compiler {

// A value of the plan or an ordering, without work at the run: constants, dims,
// aliases, resources, NoOp, and what only passes on when others may start.
inline bool isTransparent(mlir::Operation *op) {
  const Op *def = opOf(op);
  if (!def)
    return !isStructural(op, "read") && !isStructural(op, "copy");
  if (def->name() == "Const" || def->name() == "NoOp" || createsResource(op))
    return true;
  return (def->name() == "Identity" || def->name() == "StopGradient") &&
         llvm::all_of(op->getResults(),
                      [](mlir::Value v) { return isControl(v) || v.use_empty(); });
}

// Whether `v` is a reference or a handle: no elements of its own.
inline bool isResourceValue(mlir::Value v) {
  const DType dtype = dtypeOf(v.getType());
  return IsRef(dtype) || dtype == DType::kResource;
}

// The note of an operation that order-steps made a step; null for others.
inline StepNote *stepOf(mlir::Operation *op) {
  auto &steps = stateOf(op).steps;
  auto it = steps.find(op);
  return it == steps.end() ? nullptr : &it->second;
}

// Puts the notes on the operations as plan.step, plan.after and plan.slot: for
// people who read the IR.
void writeSteps(mlir::Operation *module);

// Puts operations behind what they use; among those that could come next the first.
void sortBlock(mlir::Block &block);

} // namespace millrace::compiler
