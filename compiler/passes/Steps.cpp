#include "millrace/compiler/passes/Steps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace millrace::compiler {

void writeSteps(Operation *module) {
  Builder b(module->getContext());
  forEachOp(module, [&](Operation *op) {
    StepNote *note = stepOf(op);
    if (!note)
      return;
    op->setAttr("plan.after", b.getDenseI64ArrayAttr(
                                  SmallVector<int64_t>(note->after.begin(), note->after.end())));
    op->setAttr("plan.step", b.getI64IntegerAttr(note->step));
    if (!note->slots.empty())
      op->setAttr("plan.slot", b.getDenseI64ArrayAttr(note->slots));
  });
}

} // namespace millrace::compiler
