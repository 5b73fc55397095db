#include "millrace/compiler/passes/Passes.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_DCE
#include "millrace_passes/Passes.h.inc"

namespace {

struct Dce : impl::DceBase<Dce> {
  void runOnOperation() override {
    for (Operation &func : getOperation().getBody()->getOperations()) {
      if (func.getNumRegions() != 1 || func.getRegion(0).empty())
        continue;
      for (Operation &op : llvm::make_early_inc_range(llvm::reverse(func.getRegion(0).front())))
        if (op.use_empty() && (hasNoEffects(&op) || onlyReads(&op)))
          op.erase();
    }
  }
};

} // namespace
} // namespace millrace::compiler
