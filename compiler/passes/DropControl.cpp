#include "millrace/compiler/passes/Passes.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_DROPCONTROL
#include "millrace_passes/Passes.h.inc"

namespace {

struct DropControl : impl::DropControlBase<DropControl> {
  void runOnOperation() override {
    // Operations that have effects, or need one that has.
    llvm::DenseSet<Operation *> carriers;
    forEachOp(getOperation(), [&](Operation *op) {
      if (!opOf(op) && !isStructural(op, "read") && !isStructural(op, "alias")) return;
      // What makes a variable changes nothing by itself.
      const Op *def = opOf(op);
      bool carries = !hasNoEffects(op) && !(def && llvm::all_of(def->effects(), [](const Effect &e) {
        return e.kind == Effect::Kind::kCreate;
      }));
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
