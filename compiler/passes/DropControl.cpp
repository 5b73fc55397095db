#include "millrace/compiler/passes/Passes.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_DROPCONTROL
#include "millrace_passes/Passes.h.inc"

namespace {

struct DropControl : impl::DropControlBase<DropControl> {
  void runOnOperation() override {
    const Carriers carriers(getOperation());
    forEachOp(getOperation(), [&](Operation *op) {
      const unsigned data = numData(op->getOperands());
      if (data == op->getNumOperands() || op->hasTrait<OpTrait::IsTerminator>())
        return;
      SmallVector<Value, 4> controls;
      for (Value v : op->getOperands().drop_front(data))
        if (Operation *source = v.getDefiningOp(); source && carriers.contains(source))
          controls.push_back(v);
      if (controls.size() != op->getNumOperands() - data)
        op->setOperands(data, op->getNumOperands() - data, controls);
    });
  }
};

} // namespace
} // namespace millrace::compiler
