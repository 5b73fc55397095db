#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Rewrite.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_PROPAGATELAYOUT
#include "millrace_passes/Passes.h.inc"

namespace {

constexpr int64_t kToLast[] = {0, 2, 3, 1}; // what Transpose takes from NCHW to NHWC
constexpr int64_t kToSecond[] = {0, 3, 1, 2};
// Alone, an operation of images costs less in its own layout than two transposes.
constexpr int kFewest = 2;

// What of an op depends on the layout.
struct Images {
  SmallVector<unsigned, 3> operands; // images
  int sizes = -1;                    // the operand that has the extents of an image
  bool result = true;                // whether the first result is an image
};

const Images *imagesOf(Operation *op) {
  static const llvm::StringMap<Images> *const all = new llvm::StringMap<Images>{
      {"Conv2D", {{0}}},
      {"DepthwiseConv2dNative", {{0}}},
      {"Conv2DBackpropInput", {{2}, 0}},
      {"Conv2DBackpropFilter", {{0, 2}, -1, false}},
      {"DepthwiseConv2dNativeBackpropInput", {{2}, 0}},
      {"DepthwiseConv2dNativeBackpropFilter", {{0, 2}, -1, false}},
      {"BiasAdd", {{0}}},
      {"MaxPool", {{0}}},
      {"MaxPoolGrad", {{0, 1, 2}}},
      {"AvgPool", {{0}}},
      {"AvgPoolGrad", {{1}, 0}},
      {"FusedBatchNorm", {{0}}},
      {"FusedBatchNormV2", {{0}}},
      {"FusedBatchNormV3", {{0}}},
  };
  const Op *def = opOf(op);
  if (!def)
    return nullptr;
  auto it = all->find(def->name());
  return it == all->end() ? nullptr : &it->second;
}

bool hasChannelsSecond(Operation *op) {
  auto format = opOf(op) ? op->getAttrOfType<StringAttr>("data_format") : StringAttr();
  return format && format.getValue() == "NCHW";
}

// Extents of NCHW as those of NHWC: a constant, or expressions over the feeds.
Value permutedSizes(Operation *op, Value sizes) {
  if (const std::optional<SmallVector<int64_t, 4>> numbers = integersOf(sizes))
    return numbers->size() == 4 ? createIntegers(op, op->getLoc(), permuted(*numbers, kToLast))
                                : Value();
  Operation *dims = sizes.getDefiningOp();
  auto elements =
      dims && isStructural(dims, "dims") ? dims->getAttrOfType<DimsAttr>("elements") : DimsAttr();
  if (!elements || elements.size() != 4)
    return {};
  SmallVector<SymElement, 4> moved;
  for (int64_t axis : kToLast)
    moved.push_back(elements[static_cast<size_t>(axis)]);
  return createDims(op, dims->getLoc(),
                    DimsAttr::get(op->getContext(), ArrayRef<SymElement>(moved)), sizes.getType());
}

// Whether the kernel makes the same bits of the other layout: statistics of a
// batch are sums, whose order is the layout's.
bool isIndifferent(Operation *op, const Images &images) {
  if (!isReplaceable(op))
    return false;
  auto training = op->getAttrOfType<BoolAttr>("is_training");
  if (training && training.getValue())
    return false;
  for (unsigned i : images.operands)
    if (shapeOf(op->getOperand(i).getType()).rank() != 4)
      return false;
  if (images.result && shapeOf(op->getResult(0).getType()).rank() != 4)
    return false;
  if (images.sizes < 0)
    return true;
  Value sizes = op->getOperand(static_cast<unsigned>(images.sizes));
  if (const std::optional<SmallVector<int64_t, 4>> numbers = integersOf(sizes))
    return numbers->size() == 4;
  Operation *source = sizes.getDefiningOp();
  return source && isStructural(source, "dims") && shapeOf(sizes.getType()) == SymShape({Dim(4)});
}

void convert(Operation *op, const Images &images) {
  Builder b(op->getContext());
  for (unsigned i : images.operands)
    op->setOperand(i, createTranspose(op, op->getLoc(), op->getOperand(i), kToLast));
  if (images.sizes >= 0) {
    const auto i = static_cast<unsigned>(images.sizes);
    op->setOperand(i, permutedSizes(op, op->getOperand(i)));
  }
  for (llvm::StringRef name : {"strides", "dilations", "ksize", "explicit_paddings"}) {
    auto list = op->getAttrOfType<ArrayAttr>(name);
    // Paddings are two numbers an axis.
    const size_t each = name == "explicit_paddings" ? 2 : 1;
    if (!list || list.size() != 4 * each)
      continue;
    SmallVector<Attribute, 8> moved;
    for (int64_t axis : kToLast)
      for (size_t k = 0; k < each; ++k)
        moved.push_back(list[static_cast<size_t>(axis) * each + k]);
    op->setAttr(name, b.getArrayAttr(moved));
  }
  op->setAttr("data_format", b.getStringAttr("NHWC"));
  if (!images.result)
    return;
  Value result = op->getResult(0);
  SymShape shape = shapeOf(result.getType());
  SymShape moved = shape;
  for (size_t i = 0; i < 4; ++i)
    moved.dims[i] = shape.dims[static_cast<size_t>(kToLast[i])];
  result.setType(valueType(op->getContext(), dtypeOf(result.getType()), moved));
  // Behind the operation: what is inserted before the one that follows it.
  Value back = createTranspose(op->getNextNode(), op->getLoc(), result, kToSecond);
  result.replaceAllUsesExcept(back, back.getDefiningOp());
}

struct PropagateLayout : impl::PropagateLayoutBase<PropagateLayout> {
  void runOnOperation() override {
    forEachBody(getOperation(), [](Block &block) {
      SmallVector<std::pair<Operation *, const Images *>> found;
      int windows = 0;
      bool stays = false;
      for (Operation &op : block) {
        if (!hasChannelsSecond(&op))
          continue;
        const Images *images = imagesOf(&op);
        if (!images || !isIndifferent(&op, *images)) {
          // Of others, few are between images.
          const llvm::StringRef name = opOf(&op)->name();
          stays |= images || name.starts_with("FusedBatchNormGrad") || name == "BiasAddGrad";
          continue;
        }
        windows += isNamed(&op, "BiasAdd") ? 0 : 1;
        found.push_back({&op, images});
      }
      if (stays || windows < kFewest)
        return;
      for (auto [op, images] : found)
        convert(op, *images);
    });
    updateSignatures(getOperation());
  }
};

} // namespace
} // namespace millrace::compiler
