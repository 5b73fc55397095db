#include "millrace/compiler/pipeline/Pipeline.h"
#include "millrace/compiler/passes/Passes.h"
#include "millrace/proto/value/strings.h"
#include "mlir/Pass/PassManager.h"
#include <algorithm>

using namespace mlir;

namespace millrace::compiler {

const std::vector<Phase> &phases() {
  static const std::vector<Phase> *const all = new std::vector<Phase>{
      {"import", {}},
      // Everything behind asks for dtypes, shapes and symbols.
      {"infer", {{"infer-shapes", createInferShapes, /*required=*/true}}},
      {"differentiate",
       {
           // Gradient functions ask for shapes; what they make is simplified with the rest.
           {"differentiate", createDifferentiate, /*required=*/true},
           // New operations have neither symbols nor known elements.
           {"refine-shapes", createRefineShapes},
       }},
      {"simplify",
       {
           // First: an operation that waits for nothing is free to be folded.
           {"drop-control", createDropControl},
           // Before identities, because Shape, Pack and StridedSlice end here
           // and with them the uses that keep their inputs alive.
           {"fold-shapes", createFoldShapes},
           {"fold-constants", createFoldConstants},
           {"refine-shapes", createRefineShapes},
           {"fold-shapes", createFoldShapes},
           // Behind fold-shapes, which says what is broadcast; the reshapes of its sums
           // are identities then.
           {"fold-gradient-axes", createFoldGradientAxes},
           // What is left of it hides what an operand is from those that follow.
           {"remove-identities", createRemoveIdentities},
           {"simplify-moves", createSimplifyMoves},
           // Its transposes sink at once; before algebra, which gives those that are
           // left to products.
           {"propagate-layout", createPropagateLayout},
           {"sink-transposes", createSinkTransposes},
           // Before cse, which wants operands in one order.
           {"simplify-algebra", createSimplifyAlgebra},
           // Constants that met or were transposed.
           {"fold-constants", createFoldConstants},
           // Reads of the same variable and equal constants become one operation.
           {"cse", createCse},
           // What nobody uses would count as a user.
           {"dce", createDce},
           // Behind fold-constants, which computes the factors.
           {"fold-batch-norm", createFoldBatchNorm},
           // What no product took; the factors of constants are constants.
           {"expand-batch-norm", createExpandBatchNorm},
           {"fold-constants", createFoldConstants},
           {"dce", createDce},
       }},
      {"place",
       {
           {"place", createPlace, /*required=*/true},
           // Before anything is fused: what a copy parts is not put together again.
           {"transfer", createTransfer, /*required=*/true},
       }},
      {"fuse",
       {
           {"fuse-padding", createFusePadding},
           // Before clusters, which take nothing that waits.
           {"push-control", createPushControl},
           {"fuse-epilogues", createFuseEpilogues},
           {"fuse-pool-gradients", createFusePoolGradients},
           // Behind those two: what they take is free there.
           {"fuse-clusters", createFuseClusters},
           // Behind clusters, which are formed as if each update were alone.
           {"fuse-updates", createFuseUpdates},
           // Pads and constants that were taken.
           {"dce", createDce},
       }},
      {"schedule",
       {
           {"order-steps", createOrderSteps, /*required=*/true},
           // Lifetimes are those of the order.
           {"plan-memory", createPlanMemory},
       }},
      {"emit", {}},
  };
  return *all;
}

Status checkDisabled(const std::vector<std::string> &disabled) {
  for (const std::string &name : disabled) {
    if (name == "all")
      continue;
    const PassEntry *found = nullptr;
    for (const Phase &phase : phases())
      for (const PassEntry &pass : phase.passes)
        if (name == pass.name)
          found = &pass;
    if (!found)
      return InvalidArgument("no pass is named '" + name + "'");
    if (found->required)
      return InvalidArgument("pass '" + name + "' cannot be left out: a plan needs it");
  }
  return OkStatus();
}

std::unique_ptr<Pass> createPass(const std::string &name) {
  for (const Phase &phase : phases())
    for (const PassEntry &pass : phase.passes)
      if (name == pass.name)
        return pass.create();
  return nullptr;
}

Status runPhase(ModuleOp module, const Phase &phase, const std::vector<std::string> &disabled,
                const std::function<void(std::string_view)> &beforePass) {
  const auto announce = [&](const char *pass) {
    if (beforePass)
      beforePass(Cat(phase.name, "/", pass));
  };
  CompileState &state = stateOf(module);
  const auto run = [&](std::unique_ptr<Pass> pass) -> Status {
    if (state.isCancelled())
      return Cancelled("the compilation was cancelled");
    PassManager manager(module.getContext(), ModuleOp::getOperationName());
    manager.enableVerifier(false);
    manager.addPass(std::move(pass));
    const bool ok = succeeded(manager.run(module));
    if (!state.error.ok())
      return state.error;
    return ok ? OkStatus() : Internal(std::string("phase ") + phase.name + " failed");
  };
  for (const PassEntry &pass : phase.passes) {
    if (!pass.required && llvm::any_of(disabled, [&](const std::string &name) {
          return name == pass.name || name == "all";
        }))
      continue;
    announce(pass.name);
    MR_RETURN_IF_ERROR(run(pass.create()));
    if (state.trace)
      state.trace->observe(module, pass.name);
  }
  announce("verify");
  return run(createVerifyPhase(phase.name));
}

} // namespace millrace::compiler
