// Compilation: a graph on its way through the phases.
#pragma once

#include "millrace/compiler/api/compile.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

namespace millrace::compiler {

// One compile: a context of its own, so that compiles run side by side.
struct Compilation {
  Compilation();
  Compilation(const Compilation &) = delete;

  // Runs the phases up to `last`, which is one of PhaseNames(). With `trace`, notes
  // where nodes go (CompileState::trace).
  Status upTo(const Graph &graph, const std::vector<SignatureSpec> &signatures,
              const CompileOptions &options, std::string_view last, bool trace = false);

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  // Passes keep the first error; MLIR's own way to print it is not used.
  mlir::ScopedDiagnosticHandler quiet;
  std::string diagnostic;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace millrace::compiler
