#include "millrace/compiler/dialect/Trace.h"
#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Rewrite.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_SINKTRANSPOSES
#include "millrace_passes/Passes.h.inc"

namespace {

using Perm = SmallVector<int64_t, 4>;
// Permutations that are followed for one value.
constexpr size_t kMostPerms = 2;

// What becomes of the operands when a permutation of the first ones passes the
// operation.
enum class Kind { kNone, kElementwise, kConcat, kPad, kReduction, kSlice };

Kind kindOf(Operation *op) {
  const Op *def = opOf(op);
  if (!def || !isReplaceable(op) || numDataResults(op) != 1 || controlResult(op))
    return Kind::kNone;
  const llvm::StringRef name = def->name();
  // The condition of Select may be a vector that chooses rows.
  if ((def->expression() && name != "Select" && name != "BiasAdd") || name == "AddN")
    return Kind::kElementwise;
  if (name == "ConcatV2")
    return Kind::kConcat;
  if (name == "Pad" || name == "PadV2" || name == "MirrorPad")
    return Kind::kPad;
  if (name == "Slice")
    return Kind::kSlice;
  // Sums of floats have the order of the elements.
  const bool chooses = name == "Max" || name == "Min" || name == "All" || name == "Any";
  const bool adds = name == "Sum" || name == "Prod";
  auto keeps = op->getAttrOfType<BoolAttr>("keep_dims");
  if ((chooses || (adds && isInteger(op->getOperand(0)))) && keeps && keeps.getValue())
    return Kind::kReduction;
  return Kind::kNone;
}

// Operands that have the axes of the result.
unsigned numTensors(Operation *op, Kind kind) {
  switch (kind) {
  case Kind::kElementwise:
    return op->getNumOperands();
  case Kind::kConcat:
    return op->getNumOperands() - 1;
  case Kind::kNone:
    return 0;
  default:
    return 1;
  }
}

int rankOf(Value v) { return shapeOf(v.getType()).rank(); }

// The tensor that the Transpose by `perm` behind `v` takes; null for any other `v`.
Value beforeTranspose(Value v, const Perm &perm) {
  Operation *op = v.getDefiningOp();
  if (!op || !isNamed(op, "Transpose") || !isReplaceable(op))
    return {};
  const std::optional<Perm> found = permOf(op);
  return found && *found == perm ? op->getOperand(0) : Value();
}

struct SinkTransposes : impl::SinkTransposesBase<SinkTransposes> {
  void runOnOperation() override {
    forEachBody(getOperation(), [&](Block &block) {
      wanted.clear();
      // From the end: where a Transpose waits that would be undone.
      bool any = false;
      for (Operation &op : llvm::reverse(block))
        any |= look(&op);
      if (!any)
        return;
      for (Operation &op : llvm::make_early_inc_range(block))
        pass(&op);
    });
    wanted.clear();
    updateSignatures(getOperation());
  }

private:
  void want(Value v, const Perm &perm) {
    SmallVector<Perm, 1> &perms = wanted[v];
    if (perms.size() < kMostPerms && !llvm::is_contained(perms, perm))
      perms.push_back(perm);
  }

  bool look(Operation *op) {
    if (const std::optional<Perm> perm = permOf(op)) {
      if (!isReplaceable(op) || llvm::is_sorted(*perm))
        return false;
      want(op->getOperand(0), inverseOf(*perm));
      return true;
    }
    const Kind kind = kindOf(op);
    if (kind == Kind::kNone)
      return false;
    auto it = wanted.find(op->getResult(0));
    if (it == wanted.end())
      return false;
    const SmallVector<Perm, 1> perms = it->second;
    for (unsigned i = 0; i < numTensors(op, kind); ++i)
      for (const Perm &perm : perms)
        if (rankOf(op->getOperand(i)) == static_cast<int>(perm.size()))
          want(op->getOperand(i), perm);
    return false;
  }

  void pass(Operation *op) {
    if (const std::optional<Perm> perm = permOf(op)) {
      Value x = isReplaceable(op) ? beforeTranspose(op->getOperand(0), inverseOf(*perm)) : Value();
      if (!x || x.getType() != op->getResult(0).getType())
        return;
      recordHeir(op, x);
      op->getResult(0).replaceAllUsesWith(x);
      if (op->use_empty())
        op->erase();
      return;
    }
    const Kind kind = kindOf(op);
    if (kind == Kind::kNone)
      return;
    auto it = wanted.find(op->getResult(0));
    if (it == wanted.end())
      return;
    const SmallVector<Perm, 1> perms = it->second;
    for (const Perm &perm : perms)
      if (sink(op, kind, perm))
        return;
  }

  // op(T(x), T(y)) becomes T(op(x, y)).
  bool sink(Operation *op, Kind kind, const Perm &perm) {
    const unsigned tensors = numTensors(op, kind);
    const int rank = static_cast<int>(perm.size());
    if (rankOf(op->getResult(0)) != rank)
      return false;
    bool found = false;
    for (unsigned i = 0; i < tensors; ++i) {
      Value v = op->getOperand(i);
      if (beforeTranspose(v, perm))
        found = true;
      else if (kind != Kind::kElementwise || rankOf(v) < 0 || rankOf(v) > rank ||
               !(constantValue(v) || broadcastsInto(v.getType(), op->getResult(0).getType())))
        return false;
    }
    if (!found)
      return false;
    SmallVector<Value> operands(op->getOperands());
    for (unsigned i = tensors; i < operands.size(); ++i)
      if (!(operands[i] = permutedArgument(op, kind, operands[i], perm, rankOf(op->getOperand(0)))))
        return false;
    for (unsigned i = 0; i < tensors; ++i) {
      Value x = beforeTranspose(operands[i], perm);
      operands[i] = x ? x : permutedConstant(op, operands[i], perm);
    }
    op->setOperands(operands);
    Value result = op->getResult(0);
    const SymShape shape = shapeOf(result.getType());
    SymShape moved = shape;
    for (size_t i = 0; i < perm.size(); ++i)
      moved.dims[static_cast<size_t>(perm[i])] = shape.dims[i];
    result.setType(valueType(op->getContext(), dtypeOf(result.getType()), moved));
    Value back = createTranspose(op->getNextNode(), op->getLoc(), result, perm);
    result.replaceAllUsesExcept(back, back.getDefiningOp());
    return true;
  }

  // What is no tensor of the operation's shape: an axis, amounts or bounds by axis.
  Value permutedArgument(Operation *op, Kind kind, Value v, const Perm &perm, int rank) {
    if (kind == Kind::kPad && rankOf(v) == 0)
      return v; // the number to pad with
    const std::optional<Perm> numbers = integersOf(v);
    if (!numbers)
      return {};
    const SymShape shape = shapeOf(v.getType());
    SmallVector<int64_t, 2> dims;
    for (Dim d : shape.dims)
      dims.push_back(d.value());
    Perm out = *numbers;
    if (kind == Kind::kConcat || kind == Kind::kReduction) {
      for (int64_t &axis : out) {
        axis += axis < 0 ? rank : 0;
        if (axis < 0 || axis >= rank)
          return {};
        axis = perm[static_cast<size_t>(axis)];
      }
    } else {
      const size_t each = kind == Kind::kPad ? 2 : 1;
      if (out.size() != each * perm.size())
        return {};
      for (size_t i = 0; i < perm.size(); ++i)
        for (size_t k = 0; k < each; ++k)
          out[static_cast<size_t>(perm[i]) * each + k] = (*numbers)[i * each + k];
    }
    return createIntegers(op, v.getLoc(), dtypeOf(v.getType()), out, dims);
  }

  // A constant that meets the others in a broadcast, its axes where theirs go.
  // fold-constants computes it.
  Value permutedConstant(Operation *op, Value v, const Perm &perm) {
    ElementsAttr value = constantValue(v);
    const SymShape shape = shapeOf(v.getType());
    if (!value || llvm::all_of(shape.dims, [](Dim d) { return d == Dim(1); }))
      return v;
    if (shape.rank() < static_cast<int>(perm.size())) {
      SmallVector<int64_t, 4> dims(perm.size() - shape.dims.size(), 1);
      for (Dim d : shape.dims)
        dims.push_back(d.value());
      v = makeConstant(op, v.getLoc(),
                       makeElements(stateOf(op), op->getContext(), dtypeOf(v.getType()), dims,
                                    denseBytes(stateOf(op), value), nodeName(v.getLoc())));
    }
    return createTranspose(op, v.getLoc(), v, inverseOf(perm));
  }

  llvm::DenseMap<Value, SmallVector<Perm, 1>> wanted;
};

} // namespace
} // namespace millrace::compiler
