#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Rewrite.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_HOISTPOOLGRADIENTS
#include "millrace_passes/Passes.h.inc"

namespace {

constexpr llvm::StringRef kWindowAttrs[] = {"ksize", "strides", "padding", "explicit_paddings",
                                            "data_format"};

// Whether the pooled image is smaller than the image.
bool shrinks(Operation *pool) {
  auto strides = pool->getAttrOfType<ArrayAttr>("strides");
  return strides && llvm::any_of(strides.getAsRange<IntegerAttr>(),
                                 [](IntegerAttr stride) { return stride.getInt() > 1; });
}

// The MaxPoolGrad behind `v`, where it is of a window that shrinks images.
Operation *poolGradient(Value v) {
  Operation *pool = definedBy(v, "MaxPoolGrad");
  return pool && shrinks(pool) ? pool : nullptr;
}

// ReluGrad(MaxPoolGrad(y, MaxPool(y), g), y): whoever gets a gradient is equal to the
// maximum of its window, so that the maxima say as well as y does what passes.
Value hoistActivation(Operation *op) {
  Operation *gradient = poolGradient(op->getOperand(0));
  if (!gradient || !gradient->getResult(0).hasOneUse() ||
      gradient->getOperand(0) != op->getOperand(1))
    return {};
  const Value image = gradient->getOperand(0), pooled = gradient->getOperand(1),
              grad = gradient->getOperand(2);
  Operation *pool = definedBy(pooled, "MaxPool");
  if (!pool || pool->getOperand(0) != image || pooled.getType() != grad.getType() ||
      gradient->getResult(0).getType() != op->getResult(0).getType() ||
      !llvm::all_of(kWindowAttrs, [&](llvm::StringRef name) {
        return pool->getAttr(name) == gradient->getAttr(name);
      }))
    return {};
  Operation *narrow =
      createOp(op, op->getLoc(), opOf(op)->name(), {grad, pooled}, {}, grad.getType());
  if (!narrow)
    return {};
  const SmallVector<NamedAttribute> attrs(gradient->getAttrs());
  Operation *made =
      createOp(op, gradient->getLoc(), "MaxPoolGrad", {image, pooled, narrow->getResult(0)}, attrs,
               op->getResult(0).getType());
  return made ? made->getResult(0) : Value();
}

// BiasAddGrad(MaxPoolGrad(y, p, g)): every number of g is at one place of its window,
// and a window that was not padded by hand has a place.
Value hoistBias(Operation *op, const Carriers &carriers) {
  Operation *gradient = poolGradient(op->getOperand(0));
  auto padding = gradient ? gradient->getAttrOfType<StringAttr>("padding") : StringAttr();
  if (!padding || padding.getValue() == "EXPLICIT" || carriers.above(gradient) ||
      gradient->getAttr("data_format") != op->getAttr("data_format"))
    return {};
  op->setOperand(0, gradient->getOperand(2));
  return op->getResult(0);
}

struct HoistPoolGradients : impl::HoistPoolGradientsBase<HoistPoolGradients> {
  void runOnOperation() override {
    Carriers carriers(getOperation());
    Rewriter r;
    r.add({"ReluGrad", "Relu6Grad"}, hoistActivation);
    r.add({"BiasAddGrad"}, [&](Operation *op) { return hoistBias(op, carriers); });
    r.run(getOperation());
  }
};

} // namespace
} // namespace millrace::compiler
