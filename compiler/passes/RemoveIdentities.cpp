#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Rewrite.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_REMOVEIDENTITIES
#include "millrace_passes/Passes.h.inc"

namespace {

enum class Kind { kOther, kSame, kReshape };

Kind kindOf(Operation *op) {
  const Op *def = opOf(op);
  if (!def)
    return Kind::kOther;
  return llvm::StringSwitch<Kind>(def->name())
      .Cases({"Identity", "StopGradient", "PreventGradient", "Snapshot", "PlaceholderWithDefault"},
             Kind::kSame)
      .Cases({"Reshape", "Squeeze", "ExpandDims"}, Kind::kReshape)
      .Default(Kind::kOther);
}

// An operation that waits for others keeps its place, unless it hands on a read
// that waits for the same.
bool mayGo(Operation *op) {
  if (isReplaceable(op))
    return true;
  Operation *source = op->getOperand(0).getDefiningOp();
  return hasNoEffects(op) && source && isStructural(source, "read") &&
         llvm::equal(controlOperands(source), controlOperands(op));
}

struct RemoveIdentities : impl::RemoveIdentitiesBase<RemoveIdentities> {
  void runOnOperation() override {
    forEachOp(getOperation(), [&](Operation *op) {
      const Kind kind = kindOf(op);
      if (kind == Kind::kOther || !mayGo(op) || numDataResults(op) != 1)
        return;
      Value input = op->getOperand(0), result = op->getResult(0);
      // Strings and other objects are no bytes that could be seen under other dims.
      if (kind == Kind::kSame &&
          (input.getType() == result.getType() || !sizeIsKnown(result.getType()) ||
           !sizeIsKnown(input.getType()))) {
        recordHeir(op, input);
        result.replaceAllUsesWith(input);
      } else if (!IsObject(dtypeOf(result.getType())) && sizeIsKnown(result.getType()) &&
                 sizeIsKnown(input.getType())) {
        if (input.getType() == result.getType()) {
          recordHeir(op, input);
          result.replaceAllUsesWith(input);
        } else {
          result.replaceAllUsesWith(createAlias(op, op->getLoc(), input, result.getType()));
        }
      }
      if (op->use_empty())
        op->erase();
    });
    updateSignatures(getOperation());
  }
};

} // namespace
} // namespace millrace::compiler
