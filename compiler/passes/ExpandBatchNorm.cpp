#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Rewrite.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_EXPANDBATCHNORM
#include "millrace_passes/Passes.h.inc"

namespace {

// Operations before `at` that stand for its node. The registry has the ops.
class Maker {
public:
  explicit Maker(Operation *at) : at(at) {}
  Value operator()(llvm::StringRef op, ValueRange operands, Type type,
                   ArrayRef<NamedAttribute> attrs = {}) {
    return createOp(at, at->getLoc(), op, operands, attrs, type)->getResult(0);
  }
  Value cast(Value v, Type to) {
    if (v.getType() == to)
      return v;
    MLIRContext *c = at->getContext();
    const auto element = [](Type t) {
      return TypeAttr::get(llvm::cast<ShapedType>(t).getElementType());
    };
    return (*this)("Cast", v, to,
                   {{StringAttr::get(c, "SrcT"), element(v.getType())},
                    {StringAttr::get(c, "DstT"), element(to)}});
  }

private:
  Operation *at;
};

struct ExpandBatchNorm : impl::ExpandBatchNormBase<ExpandBatchNorm> {
  void runOnOperation() override {
    // Another kind may have a kernel for the whole of it, and none for the parts.
    const CompileState &state = stateOf(getOperation());
    if (llvm::any_of(state.devices, [](const plan::DeviceRef &d) { return d.kind != "CPU"; }))
      return;
    const Registry &registry = *state.registry;
    for (const char *op : {"AddV2", "Sqrt", "RealDiv", "Sub", "Mul", "Cast"})
      if (!registry.Find(op))
        return;
    forEachOp(getOperation(), [&](Operation *op) {
      if (const std::optional<int> channels = channelAxis(op))
        expand(op, *channels);
    });
  }

  // Where the channels are of an inference whose statistics nobody wants back and whose
  // sizes are known; nothing for all else.
  static std::optional<int> channelAxis(Operation *op) {
    const Op *def = opOf(op);
    if (!def || !isReplaceable(op) || op->getNumOperands() != 5)
      return std::nullopt;
    const llvm::StringRef name = def->name();
    if (name != "FusedBatchNorm" && name != "FusedBatchNormV2" && name != "FusedBatchNormV3")
      return std::nullopt;
    auto training = op->getAttrOfType<BoolAttr>("is_training");
    auto format = op->getAttrOfType<StringAttr>("data_format");
    if (!training || training.getValue() || !format || !op->getAttrOfType<FloatAttr>("epsilon"))
      return std::nullopt;
    for (Value v : llvm::drop_begin(op->getResults()))
      if (!v.use_empty())
        return std::nullopt;
    const Type type = op->getResult(0).getType();
    const SymShape shape = shapeOf(type);
    const int axis = format.getValue().ends_with("C") ? shape.rank() - 1 : 1;
    if (!sameKnownShape(type, op->getOperand(0).getType()) || shape.rank() < 2)
      return std::nullopt;
    const SymShape vector({shape.dims[static_cast<size_t>(axis)]});
    for (Value v : llvm::drop_begin(op->getOperands()))
      if (shapeOf(v.getType()) != vector || dtypeOf(v.getType()) != DType::kFloat)
        return std::nullopt;
    return axis;
  }

  // As the kernel computes: in float, with one factor for each channel.
  static void expand(Operation *op, int axis) {
    MLIRContext *c = op->getContext();
    const Value x = op->getOperand(0), scale = op->getOperand(1), offset = op->getOperand(2),
                mean = op->getOperand(3), variance = op->getOperand(4);
    const Type vector = scale.getType(), result = op->getResult(0).getType(),
               wide = withElement(result, elementType(c, DType::kFloat));
    const float number = op->getAttrOfType<FloatAttr>("epsilon").getValue().convertToFloat();
    const Value epsilon = makeConstant(
        op, op->getLoc(),
        makeElements(stateOf(op), c, DType::kFloat, {},
                     Bytes(std::string(reinterpret_cast<const char *>(&number), sizeof number)),
                     nodeName(op->getLoc())));
    // A vector under what it is broadcast to.
    SymShape under({shapeOf(vector).dims[0]});
    under.dims.resize(static_cast<size_t>(shapeOf(result).rank() - axis), Dim(1));
    const Type spread = valueType(c, DType::kFloat, under);
    const auto along = [&](Value v) { return createAlias(op, op->getLoc(), v, spread); };

    Maker make(op);
    const Value root = make("Sqrt", make("AddV2", {variance, epsilon}, vector), vector);
    const Value factor = make("RealDiv", {scale, root}, vector);
    Value y = make("Sub", {make.cast(x, wide), along(mean)}, wide);
    y = make("Mul", {y, along(factor)}, wide);
    y = make.cast(make("AddV2", {y, along(offset)}, wide), result);
    op->getResult(0).replaceAllUsesWith(y);
    op->erase();
  }
};

} // namespace
} // namespace millrace::compiler
