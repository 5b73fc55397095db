// All passes. Each is one file here, one record in Passes.td, one line in
// pipeline/Pipeline.cpp and one test in tests/compiler/passes.
#pragma once

#include "millrace/compiler/dialect/Graph.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace millrace::compiler {

#define GEN_PASS_DECL
#include "millrace_passes/Passes.h.inc"

// The contract of a phase's end; `phase` is one of PhaseNames().
std::unique_ptr<mlir::Pass> createVerifyPhase(std::string phase);

} // namespace millrace::compiler
