#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Rewrite.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_REMOVEIDENTITIES
#include "millrace_passes/Passes.h.inc"

namespace {

// An operation that waits for others keeps its place, unless it hands on a read
// that waits for the same.
bool mayGo(Operation *op) {
  if (isReplaceable(op))
    return true;
  if (numDataResults(op) != 1)
    return false;
  Operation *source = op->getOperand(0).getDefiningOp();
  return hasNoEffects(op) && source && isStructural(source, "read") &&
         llvm::equal(controlOperands(source), controlOperands(op));
}

struct RemoveIdentities : impl::RemoveIdentitiesBase<RemoveIdentities> {
  void runOnOperation() override {
    forEachOp(getOperation(), [&](Operation *op) {
      const Keeps keeps = keepsOf(op);
      if (keeps == Keeps::kNothing || !mayGo(op))
        return;
      const unsigned count = keeps == Keeps::kValues ? numDataResults(op) : 1;
      for (unsigned i = 0; i < count && i < op->getNumOperands(); ++i)
        replace(op, keeps, op->getOperand(i), op->getResult(i));
      if (op->use_empty())
        op->erase();
    });
    updateSignatures(getOperation());
  }

  void replace(Operation *op, Keeps keeps, Value input, Value result) {
    const bool known = sizeIsKnown(result.getType()) && sizeIsKnown(input.getType());
    const bool same = input.getType() == result.getType();
    if (keeps == Keeps::kValues ? same || !known : same && known) {
      recordHeir(op, input);
      result.replaceAllUsesWith(input);
      return;
    }
    // Strings and other objects are no bytes that could be seen under other dims.
    if (known && !IsObject(dtypeOf(result.getType())))
      result.replaceAllUsesWith(createAlias(op, op->getLoc(), input, result.getType()));
  }
};

} // namespace
} // namespace millrace::compiler
