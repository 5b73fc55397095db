// The phases and their passes, in order.
#pragma once

#include "millrace/proto/value/status.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::compiler {

struct PassEntry {
  const char *name;
  std::unique_ptr<mlir::Pass> (*create)();
  // Whether a plan cannot be made, or would be wrong, without it. All others may be
  // left out.
  bool required = false;
};

struct Phase {
  const char *name;
  std::vector<PassEntry> passes;
};

// import and emit have no passes: they are the ways in and out of the IR.
const std::vector<Phase> &phases();
// InvalidArgument where a name is no pass, or that of a required one. "all" is every
// pass that is not required.
Status checkDisabled(const std::vector<std::string> &disabled);
// The pass of that name, or null.
std::unique_ptr<mlir::Pass> createPass(const std::string &name);

// Runs a phase's passes but for those named in `disabled`, then its verifier. The
// first error that a pass reported is the result; Cancelled between passes.
// `beforePass` is called with "phase/pass".
Status runPhase(mlir::ModuleOp module, const Phase &phase, const std::vector<std::string> &disabled,
                const std::function<void(std::string_view)> &beforePass = {});

} // namespace millrace::compiler
