#include "millrace/compiler/dialect/Trace.h"
#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Rewrite.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_FOLDGRADIENTAXES
#include "millrace_passes/Passes.h.inc"

namespace {

// Extents that shape arithmetic knows: numbers, or expressions over the feeds.
std::optional<SmallVector<Dim, 4>> extentsOf(Value v) {
  SmallVector<Dim, 4> out;
  if (const auto numbers = integersOf(v)) {
    for (int64_t n : *numbers)
      out.push_back(Dim(n));
    return out;
  }
  Operation *op = v.getDefiningOp();
  const auto elements =
      op && isStructural(op, "dims") ? op->getAttrOfType<DimsAttr>("elements") : DimsAttr();
  if (!elements)
    return std::nullopt;
  for (size_t i = 0; i < elements.size(); ++i)
    out.push_back(elements[i].dim());
  return out;
}

// The axes of `gradient`, which has the shape that `own` and `other` broadcast to, that
// have to be summed over for the operand of extents `own`. Axes that are in
// BroadcastGradientArgs' answer only in runs where they have one element are left out:
// whether the sum goes over them makes no difference. Nothing where a run may want one
// axis more.
std::optional<SmallVector<int64_t, 4>> axesOf(ArrayRef<Dim> own, ArrayRef<Dim> other,
                                              const SymShape &gradient) {
  const size_t rank = std::max(own.size(), other.size());
  if (!gradient.has_rank || gradient.dims.size() != rank)
    return std::nullopt;
  const auto at = [rank](ArrayRef<Dim> extents, size_t i) {
    return i + extents.size() < rank ? Dim(1) : extents[i + extents.size() - rank];
  };
  SmallVector<int64_t, 4> axes;
  for (size_t i = 0; i < rank; ++i) {
    const Dim x = at(own, i), y = at(other, i);
    if (x.unknown() || y.unknown() || (x != y && x != Dim(1) && y != Dim(1)) ||
        gradient.dims[i] != (x == Dim(1) ? y : x))
      return std::nullopt;
    if (x == Dim(1) && y != Dim(1))
      axes.push_back(static_cast<int64_t>(i));
  }
  return axes;
}

struct FoldGradientAxes : impl::FoldGradientAxesBase<FoldGradientAxes> {
  void runOnOperation() override {
    forEachOp(getOperation(), [&](Operation *op) {
      if (isNamed(op, "Reshape") && isReplaceable(op))
        rewrite(op);
    });
  }

  // Reshape(Sum(g, axes), shape): how many axes the sum leaves is nothing that the
  // result shows.
  void rewrite(Operation *reshape) {
    Operation *sum = definedBy(reshape->getOperand(0), "Sum");
    if (!sum || !reshape->getOperand(0).hasOneUse())
      return;
    const auto axesValue = llvm::dyn_cast<OpResult>(sum->getOperand(1));
    Operation *args = axesValue ? definedBy(axesValue, "BroadcastGradientArgs") : nullptr;
    if (!args)
      return;
    const unsigned own = axesValue.getResultNumber();
    const auto x = extentsOf(args->getOperand(own)), y = extentsOf(args->getOperand(1 - own));
    Value gradient = sum->getOperand(0);
    const SymShape shape = shapeOf(gradient.getType());
    const auto axes = x && y ? axesOf(*x, *y, shape) : std::nullopt;
    if (!axes)
      return;
    if (axes->empty()) {
      recordHeir(sum, gradient);
      reshape->setOperand(0, gradient);
    } else {
      SymShape left = SymShape::Scalar();
      for (size_t i = 0; i < shape.dims.size(); ++i)
        if (!llvm::is_contained(*axes, static_cast<int64_t>(i)))
          left.dims.push_back(shape.dims[i]);
      Operation *made = createOp(sum, sum->getLoc(), "Sum",
                                 {gradient, createIntegers(sum, axesValue.getLoc(), *axes)}, {},
                                 valueType(&getContext(), dtypeOf(gradient.getType()), left));
      if (!made)
        return;
      reshape->setOperand(0, made->getResult(0));
    }
    sum->erase();
  }
};

} // namespace
} // namespace millrace::compiler
