#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Rewrite.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_SIMPLIFYALGEBRA
#include "millrace_passes/Passes.h.inc"

namespace {

// Arithmetic that the processor does in its floating-point unit: denormal operands
// count as zero, and no result is denormal. Ops that compare, choose or copy are
// not among them, nor those that put numbers together from bits.
bool flushes(Operation *op) {
  static const llvm::StringSet<> *const names = new llvm::StringSet<>(
      {"Add", "AddV2", "Sub", "Mul", "RealDiv", "Square", "SquaredDifference", "BiasAdd", "MatMul",
       "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Conv2D", "DepthwiseConv2dNative"});
  const Op *def = opOf(op);
  return def && names->contains(def->name());
}

// Whether `x` may stand for `result`, which is x but for denormals, flushed to
// zero: there are none in x, or all who see the result flush them themselves.
bool flushedAnyway(Value x, Value result) {
  if (!isFloat(x))
    return true;
  if (Operation *source = x.getDefiningOp(); source && flushes(source))
    return true;
  return !result.use_empty() && llvm::all_of(result.getUsers(), flushes);
}

Type elementOf(Value v) { return llvm::cast<ShapedType>(v.getType()).getElementType(); }

// The op of `operands` and the result type of `op`, in its place.
Value replaceBy(Operation *op, llvm::StringRef name, ValueRange operands) {
  Operation *made = createOp(op, op->getLoc(), name, operands, {}, op->getResult(0).getType());
  return made ? made->getResult(0) : Value();
}

// x where `c` is the operand that changes nothing: the result is as large as x.
bool keeps(Value x, Value c, Value result) {
  return x.getType() == result.getType() &&
         (broadcastsInto(c.getType(), x.getType()) ||
          (sameKnownShape(x.getType(), result.getType()) && sizeIsKnown(c.getType())));
}

// x * 1, x / 1: x, but for denormals. x + -0: x for every x, and x + 0 is not: it
// makes 0 of -0. x - 0 is x. Integers as they are.
Value withoutNeutral(Operation *op, Value x, Value c, double number) {
  Value result = op->getResult(0);
  return isSplat(c, number) && keeps(x, c, result) && flushedAnyway(x, result) ? x : Value();
}

Value simplifyMul(Operation *op) {
  Value x = op->getOperand(0), y = op->getOperand(1);
  if (Value v = withoutNeutral(op, x, y, 1))
    return v;
  if (Value v = withoutNeutral(op, y, x, 1))
    return v;
  // The signs of a product are those of the factors.
  Operation *a = definedBy(x, "Neg"), *b = definedBy(y, "Neg");
  if (a && b) {
    op->setOperands({a->getOperand(0), b->getOperand(0)});
    return op->getResult(0);
  }
  return x == y && (isFloat(x) || isInteger(x)) ? replaceBy(op, "Square", x) : Value();
}

Value simplifyAdd(Operation *op) {
  Value x = op->getOperand(0), y = op->getOperand(1);
  const double neutral = isFloat(x) ? -0.0 : 0.0;
  if (!isFloat(x) && !isInteger(x))
    return {};
  if (Value v = withoutNeutral(op, x, y, neutral))
    return v;
  if (Value v = withoutNeutral(op, y, x, neutral))
    return v;
  // a - b is defined as a + -b.
  if (Operation *b = definedBy(y, "Neg"))
    return replaceBy(op, "Sub", {x, b->getOperand(0)});
  if (Operation *a = definedBy(x, "Neg"))
    return replaceBy(op, "Sub", {y, a->getOperand(0)});
  return {};
}

Value simplifySub(Operation *op) {
  Value x = op->getOperand(0), y = op->getOperand(1);
  if (!isFloat(x) && !isInteger(x))
    return {};
  if (Value v = withoutNeutral(op, x, y, 0.0))
    return v;
  Operation *b = definedBy(y, "Neg");
  return b ? replaceBy(op, "AddV2", {x, b->getOperand(0)}) : Value();
}

// Whether 1/c is a number, and exact: c is a power of two.
bool hasExactReciprocal(Value c, llvm::APFloat *out) {
  DenseElementsAttr splat = splatOf(c);
  if (!splat || !llvm::isa<FloatType>(splat.getElementType()))
    return false;
  *out = llvm::APFloat(splat.getSplatValue<llvm::APFloat>().getSemantics());
  return splat.getSplatValue<llvm::APFloat>().getExactInverse(out) && out->isNormal();
}

// Whether it rounds down or towards zero, a division by 1 leaves integers alone.
// FloorDiv rounds the quotients of floats.
Value simplifyDiv(Operation *op) {
  Value x = op->getOperand(0), y = op->getOperand(1);
  const llvm::StringRef name = opOf(op)->name();
  const bool exact = name == "RealDiv" || name == "Div";
  if (!exact && !isInteger(x))
    return {};
  if (Value v = withoutNeutral(op, x, y, 1))
    return v;
  // Both round the same number, once.
  llvm::APFloat inverse(0.0);
  if (!isFloat(x) || !hasExactReciprocal(y, &inverse))
    return {};
  auto value = DenseElementsAttr::get(llvm::cast<ShapedType>(y.getType()), inverse);
  return replaceBy(op, "Mul", {x, makeConstant(op, y.getLoc(), value)});
}

// (x + c) + d is x + (c + d), and likewise the product, where numbers wrap.
// fold-constants computes the inner one.
Value gatherConstants(Operation *op) {
  if (!isInteger(op->getResult(0)))
    return {};
  for (unsigned i = 0; i < 2; ++i) {
    Value d = op->getOperand(i), inner = op->getOperand(1 - i);
    Operation *source = inner.getDefiningOp();
    if (!splatOf(d) || !source || source->getName() != op->getName() || !isReplaceable(source) ||
        inner.getType() != op->getResult(0).getType())
      continue;
    for (unsigned k = 0; k < 2; ++k) {
      Value c = source->getOperand(k);
      if (!splatOf(c) || c.getType() != d.getType())
        continue;
      Operation *both = createOp(op, op->getLoc(), opOf(op)->name(), {c, d}, {}, c.getType());
      if (!both)
        return {};
      op->setOperands({source->getOperand(1 - k), both->getResult(0)});
      return op->getResult(0);
    }
  }
  return {};
}

// f(f(x)) is x: only bits of the sign or of a truth value change.
Value undoTwice(Operation *op) {
  Operation *inner = definedBy(op->getOperand(0), opOf(op)->name());
  return inner ? inner->getOperand(0) : Value();
}

// f(f(x)) is f(x).
Value doOnce(Operation *op) {
  Operation *inner = definedBy(op->getOperand(0), opOf(op)->name());
  return inner ? inner->getResult(0) : Value();
}

// The sign of x does not matter to it.
Value withoutSign(Operation *op) {
  for (llvm::StringRef sign : {"Neg", "Abs"})
    if (Operation *inner = definedBy(op->getOperand(0), sign);
        inner && llvm::isa<FloatType, IntegerType>(elementOf(inner->getOperand(0)))) {
      op->setOperand(0, inner->getOperand(0));
      return op->getResult(0);
    }
  return {};
}

// Of two equal ones, one; of floats only where the op hands on all of its bits.
Value ofEqualOperands(Operation *op) {
  Value x = op->getOperand(0);
  return x == op->getOperand(1) && flushedAnyway(x, op->getResult(0)) ? x : Value();
}

template <bool kNeutral> Value simplifyLogic(Operation *op) {
  Value x = op->getOperand(0), y = op->getOperand(1);
  if (x == y)
    return x;
  for (auto [v, c] : {std::pair(x, y), std::pair(y, x)}) {
    DenseElementsAttr splat = splatOf(c);
    if (splat && splat.getSplatValue<bool>() == kNeutral && keeps(v, c, op->getResult(0)))
      return v;
  }
  return {};
}

// The opposite of a comparison. Of floats only equality has one: neither a < b nor
// a >= b where there is a NaN.
Value simplifyNot(Operation *op) {
  if (Value v = undoTwice(op))
    return v;
  Operation *inner = op->getOperand(0).getDefiningOp();
  if (!inner || !opOf(inner) || !isReplaceable(inner) || inner->getNumOperands() != 2)
    return {};
  static const std::pair<llvm::StringRef, llvm::StringRef> kOpposites[] = {
      {"Equal", "NotEqual"}, {"Less", "GreaterEqual"}, {"Greater", "LessEqual"}};
  for (auto [a, b] : kOpposites) {
    const llvm::StringRef name = opOf(inner)->name();
    if (name != a && name != b)
      continue;
    if (a != "Equal" && !isInteger(inner->getOperand(0)))
      return {};
    SmallVector<NamedAttribute> attrs;
    for (NamedAttribute attr : inner->getAttrs())
      attrs.push_back(attr);
    Operation *made = createOp(op, op->getLoc(), name == a ? b : a, inner->getOperands(), attrs,
                               op->getResult(0).getType());
    return made ? made->getResult(0) : Value();
  }
  return {};
}

// Whether `to` has every value of `from`.
bool holds(Type to, Type from) {
  if (auto source = llvm::dyn_cast<IntegerType>(from)) {
    const bool isSigned = source.getWidth() > 1 && !source.isUnsigned();
    const unsigned magnitude = source.getWidth() - (isSigned ? 1 : 0);
    if (to.isF64() || to.isF32())
      return magnitude <= (to.isF64() ? 53u : 24u);
    auto target = llvm::dyn_cast<IntegerType>(to);
    if (!target || target.getWidth() == 1)
      return false;
    return target.isUnsigned() ? !isSigned && target.getWidth() >= magnitude
                               : target.getWidth() - 1 >= magnitude;
  }
  return (to.isF64() && (from.isF32() || from.isF16() || from.isBF16())) ||
         (to.isF32() && (from.isF16() || from.isBF16()));
}

// A cast to the same type; a cast behind one that lost nothing.
Value simplifyCast(Operation *op) {
  Value x = op->getOperand(0), result = op->getResult(0);
  if (x.getType() == result.getType())
    return x;
  Operation *inner = definedBy(x, "Cast");
  if (!inner)
    return {};
  Value source = inner->getOperand(0);
  const Type from = elementOf(source), between = elementOf(x), to = elementOf(result);
  if (!holds(between, from) || source.getType() != withElement(result.getType(), from))
    return {};
  if (from == to)
    return flushedAnyway(source, result) ? source : Value();
  // Integers keep their low bits, whichever way they went. What a float out of
  // range becomes, and how it is rounded, each pair of types has for itself.
  const bool integers = llvm::isa<IntegerType>(between) && llvm::isa<IntegerType>(to);
  if (!llvm::isa<IntegerType>(from) || !(integers || holds(to, from) || to.isInteger(1)))
    return {};
  Builder b(op->getContext());
  Operation *made = createOp(
      op, op->getLoc(), "Cast", source,
      {b.getNamedAttr("SrcT", TypeAttr::get(from)), b.getNamedAttr("DstT", TypeAttr::get(to))},
      result.getType());
  return made ? made->getResult(0) : Value();
}

// The number that fills the tensor `v`; it may have axes of its own.
Value spreadNumber(Operation *before, Value v) {
  if (Operation *fill = definedBy(v, "Fill"))
    return fill->getOperand(1);
  if (Operation *broadcast = definedBy(v, "BroadcastTo"))
    return broadcast->getOperand(0);
  const bool ones = definedBy(v, "OnesLike");
  if ((!ones && !definedBy(v, "ZerosLike")) || !(isFloat(v) || isInteger(v)))
    return {};
  Builder b(before->getContext());
  const Type element = elementOf(v);
  const TypedAttr number = ones ? b.getOneAttr(element) : b.getZeroAttr(element);
  return makeConstant(
      before, v.getLoc(),
      DenseElementsAttr::get(RankedTensorType::get({}, element), Attribute(number)));
}

// Where another operand has the shape of the result, a number need not be spread
// out before it meets the others: they do that by themselves.
Value withoutSpreading(Operation *op) {
  Value result = op->getResult(0);
  bool changed = false;
  for (OpOperand &use : op->getOpOperands()) {
    const Value spread = use.get();
    const bool another = llvm::any_of(op->getOpOperands(), [&](OpOperand &other) {
      return other.get() != spread && sameKnownShape(other.get().getType(), result.getType());
    });
    if (!another || !sizeIsKnown(spread.getType()) || constantValue(spread))
      continue;
    Value number = spreadNumber(op, spread);
    if (!number || !shapeOf(number.getType()).has_rank)
      continue;
    use.set(number);
    changed = true;
  }
  return changed ? result : Value();
}

// The transposition of an operand becomes the product's. Complex adjoints conjugate.
Value takeTransposes(Operation *op) {
  const bool batch = opOf(op)->name() != "MatMul";
  bool changed = false;
  for (unsigned i = 0; i < 2; ++i) {
    Operation *transpose = definedBy(op->getOperand(i), "Transpose");
    if (!transpose || (batch && !isFloat(op->getOperand(i)) && !isInteger(op->getOperand(i))))
      continue;
    std::optional<SmallVector<int64_t, 4>> perm = permOf(transpose);
    const int64_t rank = perm ? static_cast<int64_t>(perm->size()) : 0;
    if (rank < 2 || shapeOf(transpose->getOperand(0).getType()).rank() != rank)
      continue;
    bool swapsLast = true;
    for (int64_t k = 0; k < rank; ++k)
      swapsLast &= (*perm)[static_cast<size_t>(k)] == (k < rank - 2    ? k
                                                       : k == rank - 2 ? rank - 1
                                                                       : rank - 2);
    const llvm::StringRef attr =
        batch ? (i ? "adj_y" : "adj_x") : (i ? "transpose_b" : "transpose_a");
    auto flag = op->getAttrOfType<BoolAttr>(attr);
    if (!swapsLast || !flag)
      continue;
    op->setAttr(attr, BoolAttr::get(op->getContext(), !flag.getValue()));
    op->setOperand(i, transpose->getOperand(0));
    changed = true;
  }
  return changed ? op->getResult(0) : Value();
}

struct SimplifyAlgebra : impl::SimplifyAlgebraBase<SimplifyAlgebra> {
  void runOnOperation() override {
    Carriers carriers(getOperation());
    number();
    Rewriter r;
    r.onErase([&](Operation *op) { numbers.erase(op); });
    r.add({"Mul"}, simplifyMul);
    r.add({"Add", "AddV2"}, simplifyAdd);
    r.add({"Sub"}, simplifySub);
    r.add({"RealDiv", "Div", "FloorDiv", "TruncateDiv"}, simplifyDiv);
    r.add({"Add", "AddV2", "Mul"}, gatherConstants);
    r.add({"Neg", "Invert", "Conj"}, undoTwice);
    r.add({"Abs", "Relu", "Relu6", "Floor", "Ceil", "Rint", "Round", "Sign"}, doOnce);
    r.add({"Abs", "Square"}, withoutSign);
    r.add({"Maximum", "Minimum", "BitwiseAnd", "BitwiseOr"}, ofEqualOperands);
    r.add({"LogicalAnd"}, simplifyLogic<true>);
    r.add({"LogicalOr"}, simplifyLogic<false>);
    r.add({"LogicalNot"}, simplifyNot);
    r.add({"Cast"}, simplifyCast);
    // A branch that is dropped may be one that others wait behind.
    r.add({"Select", "SelectV2"}, [&](Operation *op) -> Value {
      Value condition = op->getOperand(0), result = op->getResult(0);
      Value chosen;
      if (DenseElementsAttr splat = splatOf(condition))
        chosen = op->getOperand(splat.getSplatValue<bool>() ? 1 : 2);
      else if (op->getOperand(1) == op->getOperand(2))
        chosen = op->getOperand(1);
      if (!chosen || carriers.above(op) || !sameKnownShape(chosen.getType(), result.getType()))
        return {};
      return chosen;
    });
    r.add({"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"}, takeTransposes);
    r.add({"Add",        "AddV2",     "Sub",      "Mul",          "RealDiv", "Div",
           "FloorDiv",   "FloorMod",  "Maximum",  "Minimum",      "Pow",     "SquaredDifference",
           "Less",       "LessEqual", "Greater",  "GreaterEqual", "Equal",   "NotEqual",
           "LogicalAnd", "LogicalOr", "DivNoNan", "MulNoNan",     "SelectV2"},
          [&](Operation *op) { return carriers.above(op) ? Value() : withoutSpreading(op); });
    // The results of both orders are equal, a NaN's payload apart.
    r.add({"Add", "AddV2", "Mul", "SquaredDifference", "Equal", "NotEqual", "LogicalAnd",
           "LogicalOr", "BitwiseAnd", "BitwiseOr", "BitwiseXor"},
          [&](Operation *op) -> Value {
            if (!inOrder(op->getOperand(1), op->getOperand(0)))
              return {};
            op->setOperands({op->getOperand(1), op->getOperand(0)});
            return op->getResult(0);
          });
    r.run(getOperation());
    numbers.clear();
  }

  void number() {
    numbers.clear();
    unsigned next = 0;
    forEachOp(getOperation(), [&](Operation *op) { numbers[op] = ++next; });
  }

  // Whether `a` belongs strictly before `b`: constants come last, then the order
  // of the body counts. New operations are left where they are.
  bool inOrder(Value a, Value b) {
    if (a == b || dtypeOf(a.getType()) == DType::kString)
      return false;
    const bool last = static_cast<bool>(constantValue(a));
    if (last != static_cast<bool>(constantValue(b)))
      return !last;
    const auto place = [&](Value v) -> std::pair<int64_t, unsigned> {
      if (auto argument = llvm::dyn_cast<BlockArgument>(v))
        return {0, argument.getArgNumber()};
      auto it = numbers.find(v.getDefiningOp());
      return {it == numbers.end() ? -1 : int64_t{it->second},
              llvm::cast<OpResult>(v).getResultNumber()};
    };
    const auto x = place(a), y = place(b);
    return x.first >= 0 && y.first >= 0 && x < y;
  }

  llvm::DenseMap<Operation *, unsigned> numbers;
};

} // namespace
} // namespace millrace::compiler
