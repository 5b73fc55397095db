#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Rewrite.h"
#include "millrace/compiler/passes/Steps.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_FOLDCONSTANTS
#include "millrace_passes/Passes.h.inc"

namespace {

// A result may be as large as its operands together, or this.
constexpr int64_t kAlwaysBytes = 1 << 20;
// Results of a module that are alive together.
constexpr int64_t kMostBytes = int64_t{1} << 31;

// Bytes of the value; nothing where that is not known.
std::optional<int64_t> bytesOf(Type type) {
  auto t = llvm::dyn_cast<RankedTensorType>(type);
  const DType dtype = dtypeOf(type);
  if (!t || !t.hasStaticShape() || dtype == DType::kInvalid || IsObject(dtype))
    return std::nullopt;
  int64_t bytes = static_cast<int64_t>(ElementSize(dtype));
  for (int64_t d : t.getShape())
    if (__builtin_mul_overflow(bytes, d, &bytes))
      return std::nullopt;
  return bytes;
}

struct FoldConstants : impl::FoldConstantsBase<FoldConstants> {
  void runOnOperation() override {
    CompileState &state = stateOf(getOperation());
    if (!state.evaluate)
      return;
    tensors.clear();
    made.clear();
    total = 0;
    refined = false;
    forEachOp(getOperation(), [&](Operation *op) {
      const Op *def = opOf(op);
      if (!def || isTransparent(op) || !isReplaceable(op) || op->getNumOperands() == 0)
        return;
      int64_t in = 0, out = 0;
      for (Value v : op->getOperands()) {
        ElementsAttr value = constantValue(v);
        const std::optional<int64_t> bytes = value ? bytesOf(v.getType()) : std::nullopt;
        if (!bytes)
          return;
        in += *bytes;
      }
      for (unsigned i = 0; i < numDataResults(op); ++i) {
        const std::optional<int64_t> bytes = bytesOf(op->getResult(i).getType());
        // What the kernel alone knows the size of is small where its operands are.
        if (!bytes && (in > kAlwaysBytes / 16 || IsObject(dtypeOf(op->getResult(i).getType()))))
          return;
        if (bytes && __builtin_add_overflow(out, *bytes, &out))
          return;
      }
      if (out > std::max(in, kAlwaysBytes) || total + out > kMostBytes ||
          !def->FindKernel("CPU", attrsOf(op)))
        return;
      if (state.isCancelled())
        return;
      if (!takeOver(state, op) && !compute(state, op))
        return;
      SmallVector<Operation *, 4> operands;
      for (Value v : op->getOperands())
        if (!llvm::is_contained(operands, v.getDefiningOp()))
          operands.push_back(v.getDefiningOp());
      op->erase();
      for (Operation *constant : operands)
        if (constant->use_empty())
          total -= drop(state, constant);
    });
    tensors.clear();
    if (refined)
      getOperation()->setAttr("graph.refined", UnitAttr::get(&getContext()));
    updateSignatures(getOperation());
  }

  // Weights behind an Identity or a Reshape are not copied: whether nobody needs the
  // result any more.
  bool takeOver(CompileState &state, Operation *op) {
    const Keeps keeps = keepsOf(op);
    if (keeps == Keeps::kNothing || numDataResults(op) != 1)
      return false;
    Value operand = op->getOperand(0), result = op->getResult(0);
    if (operand.getType() == result.getType()) {
      recordHeir(op, operand);
      result.replaceAllUsesWith(operand);
    } else if (const ElementsAttr value = constantValue(operand);
               keeps == Keeps::kElements && !made.contains(value) && bytesOf(result.getType())) {
      auto type = llvm::cast<RankedTensorType>(result.getType());
      if (type.getNumElements() != value.getNumElements())
        return false; // an error of the run
      result.replaceAllUsesWith(
          makeConstant(op, op->getLoc(),
                       makeElements(state, &getContext(), dtypeOf(type), type.getShape(),
                                    denseBytes(state, value), nodeName(op->getLoc()))));
    }
    return op->use_empty();
  }

  // By its own kernel: whether nobody needs the operation any more.
  bool compute(CompileState &state, Operation *op) {
    std::vector<Tensor> inputs, outputs;
    for (Value v : op->getOperands()) {
      const ElementsAttr value = constantValue(v);
      Tensor &tensor = tensors[value];
      if (!tensor.valid()) {
        TensorValue wire;
        auto type = llvm::cast<ShapedType>(value.getType());
        wire.dtype = dtypeOfElement(type.getElementType());
        wire.shape =
            Shape(std::span<const int64_t>(type.getShape().data(), type.getShape().size()));
        wire.content = denseBytes(state, value);
        Result<Tensor> read = Tensor::FromValue(wire, HostAllocator());
        if (!read.ok())
          return false;
        tensor = std::move(*read);
      }
      inputs.push_back(tensor);
    }
    // What cannot be computed here is an error of the run, if it is reached.
    if (!state.evaluate(*opOf(op), attrsOf(op), inputs, &outputs).ok() ||
        outputs.size() != numDataResults(op))
      return false;
    const auto fits = [&](unsigned i) {
      return outputs[i].valid() && outputs[i].dtype() == dtypeOf(op->getResult(i).getType());
    };
    for (unsigned i = 0; i < outputs.size(); ++i)
      if (!op->getResult(i).use_empty() && !fits(i))
        return false;
    for (unsigned i = 0; i < outputs.size(); ++i) {
      Value result = op->getResult(i);
      if (result.use_empty())
        continue;
      const Tensor &t = outputs[i];
      total += static_cast<int64_t>(t.bytes());
      Bytes bytes(std::string_view(static_cast<const char *>(t.data()), t.bytes()),
                  t.buffer().owner());
      if (!bytes.owner())
        bytes = Bytes(std::string(bytes.view()));
      ElementsAttr value = makeElements(state, &getContext(), t.dtype(), t.shape().ToVector(),
                                        std::move(bytes), nodeName(op->getLoc()));
      tensors[value] = t;
      made[value] = static_cast<int64_t>(t.bytes());
      if (value.getType() != result.getType())
        refined = true;
      result.replaceAllUsesWith(makeConstant(op, op->getLoc(), value));
    }
    return op->use_empty();
  }

  // A step of a chain of constants: its memory goes with it. Equal small constants
  // are one attribute, whose elements are in the attribute itself.
  int64_t drop(CompileState &state, Operation *constant) {
    const ElementsAttr value = constantValue(constant);
    constant->erase();
    auto it = made.find(value);
    if (it == made.end() || !llvm::isa<DenseResourceElementsAttr>(value))
      return 0;
    const int64_t bytes = it->second;
    made.erase(it);
    tensors.erase(value);
    state.bytes.erase(value);
    return bytes;
  }

  llvm::DenseMap<Attribute, Tensor> tensors; // of constants that were used
  llvm::DenseMap<Attribute, int64_t> made;   // bytes of what this pass computed
  int64_t total = 0;                         // of those that are alive
  bool refined = false;                      // a type says more than inference did
};

} // namespace
} // namespace millrace::compiler
