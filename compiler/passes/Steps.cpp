#include "millrace/compiler/passes/Steps.h"
#include "mlir/IR/Builders.h"
#include <queue>

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

void sortBlock(Block &block) {
  std::vector<Operation *> ops;
  llvm::DenseMap<Operation *, uint32_t> index;
  for (Operation &op : block.without_terminator()) {
    index[&op] = static_cast<uint32_t>(ops.size());
    ops.push_back(&op);
  }
  std::vector<uint32_t> unmet(ops.size(), 0);
  std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>> ready;
  for (uint32_t i = 0; i < ops.size(); ++i) {
    for (Value v : ops[i]->getOperands())
      unmet[i] += v.getDefiningOp() != nullptr;
    if (unmet[i] == 0)
      ready.push(i);
  }
  Operation *end = block.getTerminator();
  while (!ready.empty()) {
    Operation *op = ops[ready.top()];
    ready.pop();
    op->moveBefore(end);
    for (Value v : op->getResults())
      for (Operation *user : v.getUsers())
        if (user != end && --unmet[index.lookup(user)] == 0)
          ready.push(index.lookup(user));
  }
}

} // namespace millrace::compiler
