#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Rewrite.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_SIMPLIFYMOVES
#include "millrace_passes/Passes.h.inc"

namespace {

Type typeOf(Value v) { return v.getType(); }

// A result as large as the operand is the operand: a part of a tensor that is the
// whole, one copy, an expected shape that is there.
Value simplifyWhole(Operation *op) {
  Value x = op->getOperand(0), result = op->getResult(0);
  return sameKnownShape(typeOf(x), typeOf(result)) ? x : Value();
}

// x under the dimensions of the result, where nothing moved. Objects are no bytes
// that could be seen under other dimensions.
Value seenAs(Operation *op, Value x) {
  const Type type = op->getResult(0).getType();
  if (typeOf(x) == type && sizeIsKnown(type))
    return x;
  if (!sizeIsKnown(typeOf(x)) || !sizeIsKnown(type) || IsObject(dtypeOf(type)))
    return {};
  return createAlias(op, op->getLoc(), x, type);
}

Value simplifyAlias(Operation *op) {
  Operation *inner = op->getOperand(0).getDefiningOp();
  return inner && isStructural(inner, "alias") ? seenAs(op, inner->getOperand(0)) : Value();
}

// Where only axes of one element change places, no element does.
Value simplifyTranspose(Operation *op) {
  const std::optional<SmallVector<int64_t, 4>> perm = permOf(op);
  if (!perm)
    return {};
  Value x = op->getOperand(0);
  const SymShape shape = shapeOf(typeOf(x));
  int64_t last = -1;
  bool stays = true;
  for (int64_t axis : *perm)
    if (shape.dims[static_cast<size_t>(axis)] != Dim(1)) {
      stays &= axis > last;
      last = axis;
    }
  if (stays)
    if (Value v = seenAs(op, x))
      return v;
  if (llvm::is_sorted(*perm) && typeOf(x) == op->getResult(0).getType())
    return x;
  Operation *inner = x.getDefiningOp();
  std::optional<SmallVector<int64_t, 4>> first = permOf(inner);
  if (!first || !isReplaceable(inner))
    return {};
  return createTranspose(op, op->getLoc(), inner->getOperand(0), permuted(*first, *perm));
}

Value simplifyPad(Operation *op) {
  const std::optional<SmallVector<int64_t, 4>> amounts = integersOf(op->getOperand(1));
  Value x = op->getOperand(0);
  if (!amounts || typeOf(x) != op->getResult(0).getType() ||
      !llvm::all_of(*amounts, [](int64_t n) { return n == 0; }))
    return {};
  return x;
}

int64_t integer(Operation *op, llvm::StringRef name) {
  auto attr = op->getAttrOfType<IntegerAttr>(name);
  return attr ? attr.getInt() : -1;
}

// A stride of -1 turns the tensor round.
Value simplifyStridedSlice(Operation *op) {
  const std::optional<SmallVector<int64_t, 4>> strides = integersOf(op->getOperand(3));
  if (!strides || !llvm::all_of(*strides, [](int64_t n) { return n == 1; }) ||
      integer(op, "new_axis_mask") != 0 || integer(op, "shrink_axis_mask") != 0)
    return {};
  return simplifyWhole(op);
}

bool allOfExtentOne(ArrayRef<int64_t> axes, const SymShape &shape) {
  return shape.has_rank && llvm::all_of(axes, [&](int64_t axis) {
           axis += axis < 0 ? shape.rank() : 0;
           return axis >= 0 && axis < shape.rank() &&
                  shape.dims[static_cast<size_t>(axis)] == Dim(1);
         });
}

Value simplifyReverse(Operation *op) {
  const std::optional<SmallVector<int64_t, 4>> axes = integersOf(op->getOperand(1));
  Value x = op->getOperand(0);
  return axes && allOfExtentOne(*axes, shapeOf(typeOf(x))) ? simplifyWhole(op) : Value();
}

// One element after the other is each itself, where the op does not compute with
// it: a sum of floats begins at 0 and makes 0 of -0.
Value simplifyReduction(Operation *op) {
  const std::optional<SmallVector<int64_t, 4>> axes = integersOf(op->getOperand(1));
  Value x = op->getOperand(0);
  const bool chooses = !isNamed(op, "Sum") && !isNamed(op, "Prod") && !isNamed(op, "Mean");
  if (!axes || (!chooses && !isInteger(x)) || !allOfExtentOne(*axes, shapeOf(typeOf(x))))
    return {};
  return seenAs(op, x);
}

// Parts that a concatenation takes over at most: a chain of them is copied into
// each, which would be quadratic.
constexpr size_t kMostParts = 256;

// ConcatV2 has its axis last, Concat first.
Value simplifyConcat(Operation *op) {
  const bool v2 = isNamed(op, "ConcatV2");
  const unsigned parts = op->getNumOperands() - 1;
  const unsigned first = v2 ? 0 : 1;
  Value axisValue = op->getOperand(v2 ? parts : 0);
  Value result = op->getResult(0);
  const std::optional<SmallVector<int64_t, 4>> axes = integersOf(axisValue);
  const int rank = shapeOf(typeOf(result)).rank();
  if (!axes || axes->size() != 1 || rank <= 0)
    return {};
  const int64_t axis = (*axes)[0] + ((*axes)[0] < 0 ? rank : 0);
  if (axis < 0 || axis >= rank)
    return {};
  SmallVector<Value> values;
  bool changed = false;
  for (unsigned i = 0; i < parts; ++i) {
    Value v = op->getOperand(first + i);
    const SymShape shape = shapeOf(typeOf(v));
    if (shape.has_rank && shape.rank() == rank && shape.dims[static_cast<size_t>(axis)] == Dim(0)) {
      changed = true; // adds nothing
      continue;
    }
    // A concatenation that only this one uses, along the same axis.
    Operation *inner = definedBy(v, "ConcatV2");
    if (inner && v.hasOneUse() && !controlResult(inner) &&
        values.size() + inner->getNumOperands() <= kMostParts) {
      const unsigned count = inner->getNumOperands() - 1;
      const std::optional<SmallVector<int64_t, 4>> along = integersOf(inner->getOperand(count));
      if (along && along->size() == 1 && (*along)[0] + ((*along)[0] < 0 ? rank : 0) == axis &&
          shape.rank() == rank) {
        llvm::append_range(values, inner->getOperands().take_front(count));
        changed = true;
        continue;
      }
    }
    values.push_back(v);
  }
  if (values.size() == 1 && sameKnownShape(typeOf(values[0]), typeOf(result)))
    return values[0];
  if (!changed || values.empty() || values.size() == 1)
    return {};
  values.insert(v2 ? values.end() : values.begin(), axisValue);
  op->setOperands(values);
  op->setAttr("N",
              Builder(op->getContext()).getI64IntegerAttr(static_cast<int64_t>(values.size()) - 1));
  return result;
}

struct SimplifyMoves : impl::SimplifyMovesBase<SimplifyMoves> {
  void runOnOperation() override {
    Rewriter r;
    r.add({"alias"}, simplifyAlias);
    r.add({"Slice", "Tile", "BroadcastTo", "EnsureShape"}, simplifyWhole);
    r.add({"Transpose"}, simplifyTranspose);
    r.add({"Pad", "PadV2", "MirrorPad"}, simplifyPad);
    r.add({"StridedSlice"}, simplifyStridedSlice);
    r.add({"ReverseV2"}, simplifyReverse);
    r.add({"Sum", "Prod", "Mean", "Max", "Min", "All", "Any"}, simplifyReduction);
    r.add({"Concat", "ConcatV2"}, simplifyConcat);
    // Of one, and into one.
    r.add({"AddN"},
          [](Operation *op) { return op->getNumOperands() == 1 ? simplifyWhole(op) : Value(); });
    r.add({"Pack", "Unpack"}, [](Operation *op) {
      return op->getNumOperands() == 1 ? seenAs(op, op->getOperand(0)) : Value();
    });
    r.add({"Split"}, [](Operation *op) { return seenAs(op, op->getOperand(1)); });
    r.add({"SplitV"}, simplifyWhole);
    r.run(getOperation());
  }
};

} // namespace
} // namespace millrace::compiler
