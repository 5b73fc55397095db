#include "millrace/compiler/passes/Passes.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_DROPCONTROL
#include "millrace_passes/Passes.h.inc"

namespace {

struct DropControl : impl::DropControlBase<DropControl> {
  void runOnOperation() override {
    // Operations that others can see the effect of, or that need one such. A read
    // is none by itself: one that no write precedes sees the value from before
    // the run, whatever waits for it. Nor is a generator's own state.
    llvm::DenseSet<Operation *> carriers;
    forEachOp(getOperation(), [&](Operation *op) {
      if (!opOf(op) && !isStructural(op, "read") && !isStructural(op, "alias")) return;
      const Op *def = opOf(op);
      bool carries = def && llvm::any_of(def->effects(), [](const Effect &e) {
        return e.kind == Effect::Kind::kWrite || e.kind == Effect::Kind::kOutside;
      });
      const unsigned data = numData(op->getOperands());
      SmallVector<Value, 4> controls;
      for (unsigned i = 0; i < op->getNumOperands(); ++i) {
        Operation *source = op->getOperand(i).getDefiningOp();
        const bool sourceCarries = source && carriers.contains(source);
        carries |= sourceCarries;
        if (i >= data && sourceCarries && !llvm::is_contained(ArrayRef<Value>(controls).take_front(16), op->getOperand(i)))
          controls.push_back(op->getOperand(i));
      }
      if (controls.size() != op->getNumOperands() - data)
        op->setOperands(data, op->getNumOperands() - data, controls);
      if (carries) carriers.insert(op);
    });
  }
};

} // namespace
} // namespace millrace::compiler
