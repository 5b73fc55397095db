#include "millrace/compiler/passes/Passes.h"
#include "millrace/ops/expr/expression.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_PUSHCONTROL
#include "millrace_passes/Passes.h.inc"

namespace {

// Edges that one operation may become.
constexpr size_t kMaxEdges = 16;

struct PushControl : impl::PushControlBase<PushControl> {
  void runOnOperation() override {
    forEachOp(getOperation(), [](Operation *op) {
      const unsigned data = numData(op->getOperands());
      if (data == op->getNumOperands() || !cannotFail(op))
        return;
      llvm::SetVector<Operation *> users(op->user_begin(), op->user_end());
      const SmallVector<Value, 4> controls(controlOperands(op));
      if (users.size() * controls.size() > kMaxEdges ||
          !llvm::all_of(users, [](Operation *user) { return opOf(user) != nullptr; }))
        return;
      for (Operation *user : users)
        for (Value control : controls)
          if (!llvm::is_contained(controlOperands(user), control))
            user->insertOperands(user->getNumOperands(), control);
      op->setOperands(data, op->getNumOperands() - data, {});
    });
  }

  static bool cannotFail(Operation *op) {
    const Op *def = opOf(op);
    return def && hasNoEffects(op) && def->expression() && !def->expression()->traits.check &&
           llvm::none_of(op->getOperands(), isRefValue);
  }
};

} // namespace
} // namespace millrace::compiler
