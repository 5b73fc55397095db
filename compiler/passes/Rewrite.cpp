#include "millrace/compiler/passes/Rewrite.h"
#include "millrace/compiler/dialect/Trace.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSwitch.h"
#include <cstring>

using namespace mlir;

namespace millrace::compiler {
namespace {

// An operation that changes again and again is in its normal form by then.
constexpr int kMostRounds = 8;
constexpr int64_t kMostIntegers = 4096;

} // namespace

void Rewriter::add(ArrayRef<llvm::StringRef> ops, Pattern pattern) {
  for (llvm::StringRef op : ops)
    patterns[("graph." + op).str()].push_back(pattern);
}

void Rewriter::apply(Operation *op, int depth) {
  for (int round = 0; round < kMostRounds; ++round) {
    auto it = patterns.find(op->getName().getStringRef());
    if (it == patterns.end() || !isReplaceable(op) || numDataResults(op) != 1)
      return;
    Value made;
    for (const Pattern &pattern : it->second)
      if ((made = pattern(op)))
        break;
    if (!made)
      return;
    if (made == op->getResult(0))
      continue; // changed in place
    Operation *source = made.getDefiningOp();
    const bool fresh = source && source->use_empty();
    op->getResult(0).replaceAllUsesWith(made);
    if (op->use_empty()) {
      recordHeir(op, made);
      if (erased)
        erased(op);
      op->erase();
    }
    if (fresh && depth < kMostRounds)
      apply(source, depth + 1);
    return;
  }
}

void Rewriter::run(ModuleOp module) {
  forEachOp(module, [&](Operation *op) { apply(op, 0); });
  updateSignatures(module);
}

Operation *createOp(Operation *before, Location loc, llvm::StringRef name, ValueRange operands,
                    ArrayRef<NamedAttribute> attrs, TypeRange results) {
  MLIRContext *context = before->getContext();
  CompileState &state = stateOf(before);
  const Op *def = state.registry->Find(std::string_view(name));
  if (!def)
    return nullptr;
  NamedAttrList list(attrs);
  for (const AttrDef &attr : def->signature().attrs) {
    if (list.get(attr.name))
      continue;
    Attribute value;
    if (attr.name == "T" && !operands.empty())
      value = TypeAttr::get(llvm::cast<ShapedType>(operands[0].getType()).getElementType());
    else if (attr.has_default)
      value = toAttribute(state, context, attr.default_value, name);
    if (!value)
      return nullptr;
    list.set(attr.name, value);
  }
  OperationState op(loc, dialectOf(context)->define(*def));
  op.addOperands(operands);
  op.attributes = std::move(list);
  op.addTypes(results);
  mlir::OpBuilder b(before);
  return b.create(op);
}

Value createIntegers(Operation *before, Location loc, DType dtype, ArrayRef<int64_t> values,
                     ArrayRef<int64_t> dims) {
  std::string bytes;
  for (int64_t wide : values) {
    const int32_t narrow = static_cast<int32_t>(wide);
    if (dtype == DType::kInt64)
      bytes.append(reinterpret_cast<const char *>(&wide), sizeof wide);
    else if (narrow == wide)
      bytes.append(reinterpret_cast<const char *>(&narrow), sizeof narrow);
    else
      return {};
  }
  return makeConstant(before, loc,
                      makeElements(stateOf(before), before->getContext(), dtype, dims,
                                   Bytes(std::move(bytes)), nodeName(loc)));
}

Value createIntegers(Operation *before, Location loc, ArrayRef<int64_t> values) {
  return createIntegers(before, loc, DType::kInt32, values, static_cast<int64_t>(values.size()));
}

Value createDims(Operation *before, Location loc, DimsAttr elements, Type type) {
  OperationState dims(loc, "graph.dims");
  dims.addAttribute("elements", elements);
  dims.addTypes(type);
  mlir::OpBuilder b(before);
  return b.create(dims)->getResult(0);
}

Value createTranspose(Operation *before, Location loc, Value x, ArrayRef<int64_t> perm) {
  MLIRContext *c = before->getContext();
  const SymShape shape = shapeOf(x.getType());
  SymShape result = SymShape::Unknown(static_cast<int>(perm.size()));
  if (shape.has_rank)
    for (size_t i = 0; i < perm.size(); ++i)
      result.dims[i] = shape.dims[static_cast<size_t>(perm[i])];
  Value order = createIntegers(before, loc, perm);
  return createOp(before, loc, "Transpose", {x, order},
                  {{StringAttr::get(c, "Tperm"), TypeAttr::get(elementType(c, DType::kInt32))}},
                  valueType(c, dtypeOf(x.getType()), result))
      ->getResult(0);
}

Value createAlias(Operation *before, Location loc, Value v, Type type) {
  if (Operation *source = v.getDefiningOp(); source && isStructural(source, "alias"))
    v = source->getOperand(0);
  if (v.getType() == type)
    return v;
  OperationState alias(loc, "graph.alias");
  alias.addOperands(v);
  alias.addTypes(type);
  mlir::OpBuilder b(before);
  return b.create(alias)->getResult(0);
}

Type withElement(Type shape, Type element) {
  if (auto ranked = llvm::dyn_cast<RankedTensorType>(shape))
    return RankedTensorType::get(ranked.getShape(), element, ranked.getEncoding());
  return UnrankedTensorType::get(element);
}

Keeps keepsOf(Operation *op) {
  const Op *def = opOf(op);
  if (!def)
    return Keeps::kNothing;
  return llvm::StringSwitch<Keeps>(def->name())
      .Cases({"Identity", "IdentityN", "StopGradient", "PreventGradient", "Snapshot",
              "PlaceholderWithDefault"},
             Keeps::kValues)
      .Cases({"Reshape", "Squeeze", "ExpandDims"}, Keeps::kElements)
      .Default(Keeps::kNothing);
}

bool sizeIsKnown(Type type) {
  const SymShape shape = shapeOf(type);
  return shape.has_rank && llvm::none_of(shape.dims, [](Dim d) { return d.unknown(); });
}

bool sameKnownShape(Type a, Type b) { return sizeIsKnown(a) && shapeOf(a) == shapeOf(b); }

std::optional<SmallVector<int64_t, 4>> integersOf(Value v) {
  const DType dtype = dtypeOf(v.getType());
  ElementsAttr value = constantValue(v);
  if (!value || (dtype != DType::kInt32 && dtype != DType::kInt64))
    return std::nullopt;
  auto type = llvm::cast<ShapedType>(value.getType());
  if (type.getNumElements() > kMostIntegers)
    return std::nullopt;
  const Bytes bytes = denseBytes(stateOf(v.getDefiningOp()), value);
  const size_t n = static_cast<size_t>(type.getNumElements()), size = ElementSize(dtype);
  if (bytes.size() != n * size)
    return std::nullopt;
  SmallVector<int64_t, 4> out(n);
  for (size_t i = 0; i < n; ++i) {
    if (dtype == DType::kInt64) {
      std::memcpy(&out[i], bytes.data() + i * size, size);
    } else {
      int32_t narrow = 0;
      std::memcpy(&narrow, bytes.data() + i * size, size);
      out[i] = narrow;
    }
  }
  return out;
}

DenseElementsAttr splatOf(Value v) {
  auto dense = llvm::dyn_cast_or_null<DenseElementsAttr>(constantValue(v));
  return dense && dense.getNumElements() > 0 && dense.isSplat() ? dense : DenseElementsAttr();
}

bool isSplat(Value v, double number) {
  DenseElementsAttr splat = splatOf(v);
  if (!splat)
    return false;
  const Type element = splat.getElementType();
  if (llvm::isa<FloatType>(element)) {
    const llvm::APFloat value = splat.getSplatValue<llvm::APFloat>();
    llvm::APFloat wanted(number);
    bool loses = false;
    wanted.convert(value.getSemantics(), llvm::APFloat::rmNearestTiesToEven, &loses);
    return !loses && value.bitwiseIsEqual(wanted);
  }
  if (auto integer = llvm::dyn_cast<IntegerType>(element)) {
    const llvm::APInt value = splat.getSplatValue<llvm::APInt>();
    return value == llvm::APInt(integer.getWidth(),
                                static_cast<uint64_t>(static_cast<int64_t>(number)),
                                /*isSigned=*/true, /*implicitTrunc=*/true);
  }
  return false;
}

bool broadcastsInto(Type small, Type other) {
  const SymShape a = shapeOf(small), b = shapeOf(other);
  return a.has_rank && (a.rank() == 0 || (b.has_rank && a.rank() <= b.rank())) &&
         llvm::all_of(a.dims, [](Dim d) { return d == Dim(1); });
}

bool isFloat(Value v) {
  auto type = llvm::dyn_cast<ShapedType>(v.getType());
  return type && llvm::isa<FloatType>(type.getElementType());
}

bool isInteger(Value v) {
  auto type = llvm::dyn_cast<ShapedType>(v.getType());
  auto element = type ? llvm::dyn_cast<IntegerType>(type.getElementType()) : IntegerType();
  return element && element.getWidth() > 1;
}

std::optional<SmallVector<int64_t, 4>> permOf(Operation *op) {
  if (!op || !isNamed(op, "Transpose"))
    return std::nullopt;
  std::optional<SmallVector<int64_t, 4>> perm = integersOf(op->getOperand(1));
  const int rank = shapeOf(op->getOperand(0).getType()).rank();
  if (!perm || rank != static_cast<int>(perm->size()))
    return std::nullopt;
  SmallVector<bool, 4> seen(perm->size(), false);
  for (int64_t &p : *perm) {
    p += p < 0 ? rank : 0;
    if (p < 0 || p >= rank || seen[static_cast<size_t>(p)])
      return std::nullopt;
    seen[static_cast<size_t>(p)] = true;
  }
  return perm;
}

SmallVector<int64_t, 4> permuted(ArrayRef<int64_t> dims, ArrayRef<int64_t> perm) {
  SmallVector<int64_t, 4> out;
  for (int64_t p : perm)
    out.push_back(dims[static_cast<size_t>(p)]);
  return out;
}

SmallVector<int64_t, 4> inverseOf(ArrayRef<int64_t> perm) {
  SmallVector<int64_t, 4> out(perm.size());
  for (size_t i = 0; i < perm.size(); ++i)
    out[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  return out;
}

Operation *definedBy(Value v, llvm::StringRef name) {
  Operation *op = v.getDefiningOp();
  return op && isNamed(op, name) && isReplaceable(op) ? op : nullptr;
}

} // namespace millrace::compiler
