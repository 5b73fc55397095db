#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Rewrite.h"
#include "millrace/ops/nn/pooling.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_FUSEPOOLGRADIENTS
#include "millrace_passes/Passes.h.inc"

namespace {

// ReluGrad(MaxPoolGrad(y, p, g), y): the kernel has the number of y in hand that
// decides what passes, and writes zeros elsewhere at any rate.
Value fuseActivation(Operation *op) {
  Operation *pool = definedBy(op->getOperand(0), "MaxPoolGrad");
  nn::WindowAttrs window;
  if (!pool || !pool->getResult(0).hasOneUse() || pool->getOperand(0) != op->getOperand(1) ||
      pool->getResult(0).getType() != op->getResult(0).getType() ||
      !nn::ReadWindowAttrs(attrsOf(pool), &window).ok() || !nn::WindowsApart(window))
    return {};
  SmallVector<NamedAttribute> attrs(pool->getAttrs());
  mlir::OpBuilder b(op);
  attrs.push_back(b.getNamedAttr("fused_ops", b.getArrayAttr({b.getStringAttr(opOf(op)->name())})));
  Operation *fused =
      createOp(op, mergeLocations(pool->getLoc(), {op->getLoc()}), "_FusedMaxPoolGrad",
               pool->getOperands(), attrs, op->getResult(0).getType());
  return fused ? fused->getResult(0) : Value();
}

struct FusePoolGradients : impl::FusePoolGradientsBase<FusePoolGradients> {
  void runOnOperation() override {
    Rewriter r;
    r.add({"ReluGrad", "Relu6Grad"}, fuseActivation);
    r.run(getOperation());
  }
};

} // namespace
} // namespace millrace::compiler
