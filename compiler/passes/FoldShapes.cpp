#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Rewrite.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_FOLDSHAPES
#include "millrace_passes/Passes.h.inc"

namespace {

struct FoldShapes : impl::FoldShapesBase<FoldShapes> {
  void runOnOperation() override {
    const Carriers carriers(getOperation());
    forEachOp(getOperation(), [&](Operation *op) {
      auto known = op->getAttrOfType<ArrayAttr>("graph.elements");
      if (!known)
        return;
      op->removeAttr("graph.elements");
      if (!isReplaceable(op) || !opOf(op) || carriers.above(op))
        return;
      for (unsigned i = 0; i < known.size() && i < op->getNumResults(); ++i) {
        auto elements = llvm::dyn_cast<DimsAttr>(known[i]);
        if (elements && !op->getResult(i).use_empty())
          replace(op->getResult(i), elements);
      }
      if (op->use_empty())
        op->erase();
    });
    updateSignatures(getOperation());
  }

  void replace(OpResult result, DimsAttr elements) {
    const DType dtype = dtypeOf(result.getType());
    auto type = llvm::dyn_cast<RankedTensorType>(result.getType());
    if ((dtype != DType::kInt32 && dtype != DType::kInt64) || !type || !type.hasStaticShape() ||
        type.getRank() > 1 || type.getNumElements() != static_cast<int64_t>(elements.size()))
      return;
    bool numbers = true;
    for (size_t i = 0; i < elements.size(); ++i) {
      if (elements[i].kind == SymElement::Kind::kUnknown)
        return;
      numbers &= elements[i].known();
    }
    Operation *op = result.getOwner();
    if (!numbers) {
      result.replaceAllUsesWith(createDims(op, op->getLoc(), elements, type));
      return;
    }
    SmallVector<int64_t, 4> values;
    for (size_t i = 0; i < elements.size(); ++i)
      values.push_back(elements[i].number);
    if (Value constant = createIntegers(op, op->getLoc(), dtype, values, type.getShape()))
      result.replaceAllUsesWith(constant);
  }
};

} // namespace
} // namespace millrace::compiler
