#include "millrace/compiler/passes/Passes.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_DCE
#include "millrace_passes/Passes.h.inc"

namespace {

struct Dce : impl::DceBase<Dce> {
  void runOnOperation() override {
    forEachBody(getOperation(), [](Block &block) {
      for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
        if (op.use_empty() && (hasNoEffects(&op) || onlyReads(&op)))
          op.erase();
    });
  }
};

} // namespace
} // namespace millrace::compiler
