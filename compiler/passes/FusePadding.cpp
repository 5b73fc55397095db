#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Products.h"
#include "mlir/IR/Builders.h"
#include <cmath>
#include <cstring>

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_FUSEPADDING
#include "millrace_passes/Passes.h.inc"

namespace {

// A padded zero times an infinite or undefined weight is not zero, and a kernel
// that skips the padding would not see it.
template <typename T> bool allFinite(const Bytes &bytes) {
  for (size_t i = 0; i + sizeof(T) <= bytes.size(); i += sizeof(T)) {
    T v;
    std::memcpy(&v, bytes.data() + i, sizeof(T));
    if (!std::isfinite(v))
      return false;
  }
  return true;
}

struct FusePadding : impl::FusePaddingBase<FusePadding> {
  void runOnOperation() override {
    forEachOp(getOperation(), [&](Operation *op) {
      std::optional<Product> p = productOf(op);
      if (!p || p->kind == Product::Kind::kMatMul)
        return;
      Operation *pad = op->getOperand(0).getDefiningOp();
      auto padding = op->getAttrOfType<StringAttr>("padding");
      if (!pad || !isNamed(pad, "Pad") || !isReplaceable(pad) || !padding ||
          padding.getValue() != "VALID" || !op->hasAttr("explicit_paddings"))
        return;
      CompileState &state = stateOf(op);
      ElementsAttr weights = constantValue(p->weights()),
                   amounts = constantValue(pad->getOperand(1));
      if (!weights || !amounts)
        return;
      const Bytes &w = denseBytes(state, weights);
      if (dtypeOf(p->weights().getType()) == DType::kFloat ? !allFinite<float>(w)
                                                           : !allFinite<double>(w))
        return;
      const Bytes &bytes = denseBytes(state, amounts);
      const bool wide = dtypeOf(pad->getOperand(1).getType()) == DType::kInt64;
      if (bytes.size() != 8 * (wide ? sizeof(int64_t) : sizeof(int32_t)))
        return;
      SmallVector<Attribute> list;
      mlir::OpBuilder b(op);
      for (int i = 0; i < 8; ++i) {
        int64_t amount = 0;
        int32_t narrow = 0;
        if (wide)
          std::memcpy(&amount, bytes.data() + 8 * i, 8);
        else
          std::memcpy(&narrow, bytes.data() + 4 * i, 4), amount = narrow;
        const int axis = i / 2;
        if (amount < 0 || (amount != 0 && (axis == 0 || axis == p->channelAxis)))
          return;
        list.push_back(b.getI64IntegerAttr(amount));
      }
      AttrMap attrs = attrsOf(op);
      attrs["padding"] = "EXPLICIT";
      if (!CompleteAttrs(*opOf(op), &attrs).ok())
        return;
      op->setAttr("padding", b.getStringAttr("EXPLICIT"));
      op->setAttr("explicit_paddings", b.getArrayAttr(list));
      op->setOperand(0, pad->getOperand(0));
      op->setLoc(mergeLocations(op->getLoc(), {pad->getLoc()}));
      if (pad->use_empty())
        pad->erase();
    });
  }
};

} // namespace
} // namespace millrace::compiler
