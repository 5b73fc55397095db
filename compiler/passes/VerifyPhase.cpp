// The contract at the end of each phase.
#include "millrace/compiler/dialect/Devices.h"
#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Steps.h"
#include "millrace/proto/value/strings.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;

namespace millrace::compiler {
namespace {

struct VerifyPhase : PassWrapper<VerifyPhase, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(VerifyPhase)
  explicit VerifyPhase(std::string phase) : phase(std::move(phase)) {}
  VerifyPhase(const VerifyPhase &other) : PassWrapper(other), phase(other.phase) {}
  llvm::StringRef getArgument() const override { return "verify-phase"; }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(verify(module))) {
      CompileState &state = stateOf(module);
      if (state.error.ok())
        state.error = Internal(Cat("the phase ", phase, " left a module that is not valid"));
      return signalPassFailure();
    }
    for (auto func : module.getOps<func::FuncOp>())
      for (Operation &op : func.getBody().front())
        if (failed(check(&op)))
          return signalPassFailure();
  }

  LogicalResult check(Operation *op) {
    const auto broken = [&](const std::string &what) {
      return fail(op, Internal(Cat("after phase ", phase, ": ", what)));
    };
    if (llvm::isa<func::ReturnOp>(op))
      return success();
    if (!opOf(op) && !isStructural(op, "read") && !isStructural(op, "dims") &&
        !isStructural(op, "alias") && !isStructural(op, "copy"))
      return broken("the operation belongs to no op of the registry");
    if (phase == "place" && opOf(op) && !isTransparent(op) &&
        !opOf(op)->FindKernel(std::string_view(kindOf(op)), attrsOf(op)))
      return broken("no kernel");
    if (phase == "schedule") {
      const StepNote *note = stepOf(op);
      if (isTransparent(op) != !note && !isNamed(op, "NoOp"))
        return broken("expected a step exactly where there is work");
      if (note)
        for (uint32_t a : note->after)
          if (a >= note->step)
            return broken(Cat("step ", note->step, " waits for step ", a));
    }
    return success();
  }

  std::string phase;
};

} // namespace

std::unique_ptr<Pass> createVerifyPhase(std::string phase) {
  return std::make_unique<VerifyPhase>(std::move(phase));
}

} // namespace millrace::compiler
