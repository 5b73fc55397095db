// Attribute values of the graph as MLIR attributes and back; constants.
//   string "s", int 3 : i64, float 0.5 : f32, bool true, type f32,
//   shape tensor<2x?xindex> (as a type), tensor an elements attribute,
//   list(...) an array, func {func = "name", attrs = {...}}.
#include "millrace/compiler/dialect/Graph.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include <cstring>

using namespace mlir;

namespace millrace::compiler {
namespace {

// A constant of up to this many elements is printed with its elements, and equal
// ones are one attribute; larger ones share the graph's memory.
constexpr int64_t kInTheOpen = 64;
// Constants beyond this are a mistake or an attack.
constexpr uint64_t kMaxConstantBytes = uint64_t{1} << 40;
// Of a constant that the graph does not hold in full but by a few elements that
// repeat: those a graph of some bytes can ask for.
constexpr uint64_t kMaxSpreadBytes = uint64_t{8} << 30;

Type shapeAsType(MLIRContext *c, const Shape &shape) {
  const Type element = IndexType::get(c);
  if (!shape.has_rank())
    return UnrankedTensorType::get(element);
  SmallVector<int64_t, 8> dims;
  for (int64_t d : shape.dims())
    dims.push_back(d < 0 ? ShapedType::kDynamic : d);
  return RankedTensorType::get(dims, element);
}

Shape typeAsShape(Type type) {
  auto ranked = llvm::dyn_cast<RankedTensorType>(type);
  if (!ranked)
    return Shape::UnknownRank();
  Shape shape;
  for (int64_t d : ranked.getShape())
    shape.Append(ShapedType::isDynamic(d) ? Shape::kUnknownDim : d);
  return shape;
}

Attribute funcAttribute(CompileState &state, MLIRContext *c, const FuncValue &func) {
  NamedAttrList attrs, fields;
  if (func.attrs)
    for (const auto &[name, value] : *func.attrs)
      if (Attribute a = toAttribute(state, c, value, name))
        attrs.append(name, a);
  fields.append("attrs", attrs.getDictionary(c));
  fields.append("func", StringAttr::get(c, func.name));
  return fields.getDictionary(c);
}

Attribute listAttribute(CompileState &state, MLIRContext *c, const ListValue &list,
                        llvm::StringRef hint) {
  Builder b(c);
  SmallVector<Attribute> out;
  for (const std::string &s : list.s)
    out.push_back(b.getStringAttr(s));
  for (int64_t i : list.i)
    out.push_back(b.getI64IntegerAttr(i));
  for (float f : list.f)
    out.push_back(b.getF32FloatAttr(f));
  for (bool v : list.b)
    out.push_back(b.getBoolAttr(v));
  for (DType t : list.type)
    out.push_back(toAttribute(state, c, AttrValue(t), hint));
  for (const ShapeValue &s : list.shape)
    out.push_back(TypeAttr::get(shapeAsType(c, s.shape)));
  for (const auto &t : list.tensor) {
    Attribute a = toAttribute(state, c, AttrValue(t), hint);
    if (!a)
      return {};
    out.push_back(a);
  }
  for (const FuncValue &f : list.func)
    out.push_back(funcAttribute(state, c, f));
  return b.getArrayAttr(out);
}

Attribute tensorAttribute(CompileState &state, MLIRContext *c, const TensorValue &t,
                          llvm::StringRef hint) {
  if (t.dtype == DType::kString) {
    Result<std::vector<std::string>> strings = DenseStrings(t, kMaxSpreadBytes);
    if (!strings.ok())
      return {};
    SmallVector<llvm::StringRef> refs(strings->begin(), strings->end());
    return DenseStringElementsAttr::get(
        RankedTensorType::get(t.shape.ToVector(), elementType(c, t.dtype)), refs);
  }
  Result<Bytes> bytes = DenseBytes(t, t.content.empty() ? kMaxSpreadBytes : kMaxConstantBytes);
  if (!bytes.ok())
    return {};
  return makeElements(state, c, t.dtype, t.shape.ToVector(), std::move(*bytes), hint);
}

// The elements of one of the builtin dense attributes, splats spread out.
Bytes spread(DenseElementsAttr dense) {
  std::string out;
  const int64_t n = dense.getNumElements();
  if (dense.getElementType().isInteger(1)) {
    out.reserve(static_cast<size_t>(n));
    for (bool b : dense.getValues<bool>())
      out.push_back(b ? 1 : 0);
    return Bytes(std::move(out));
  }
  ArrayRef<char> raw = dense.getRawData();
  if (!dense.isSplat() || n == 1)
    return Bytes(std::string(raw.data(), raw.size()));
  out.reserve(raw.size() * static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i)
    out.append(raw.data(), raw.size());
  return Bytes(std::move(out));
}

} // namespace

Attribute toAttribute(CompileState &state, MLIRContext *c, const AttrValue &value,
                      llvm::StringRef hint) {
  Builder b(c);
  if (const auto *s = value.get<std::string>())
    return b.getStringAttr(*s);
  if (const auto *i = value.get<int64_t>())
    return b.getI64IntegerAttr(*i);
  if (const auto *f = value.get<float>())
    return b.getF32FloatAttr(*f);
  if (const auto *v = value.get<bool>())
    return b.getBoolAttr(*v);
  if (const auto *t = value.get<DType>())
    return TypeAttr::get(IsRef(*t) ? valueType(c, *t, SymShape()) : elementType(c, *t));
  if (const auto *s = value.get<ShapeValue>())
    return TypeAttr::get(shapeAsType(c, s->shape));
  if (const auto *t = value.get<std::shared_ptr<const TensorValue>>())
    return *t ? tensorAttribute(state, c, **t, hint) : Attribute();
  if (const auto *f = value.get<FuncValue>())
    return funcAttribute(state, c, *f);
  if (const auto *l = value.get<ListValue>())
    return listAttribute(state, c, *l, hint);
  return {};
}

AttrValue fromAttribute(CompileState &state, Attribute attr) {
  if (auto s = llvm::dyn_cast<StringAttr>(attr))
    return s.getValue().str();
  if (auto v = llvm::dyn_cast<BoolAttr>(attr))
    return v.getValue();
  if (auto i = llvm::dyn_cast<IntegerAttr>(attr))
    return i.getValue().getSExtValue();
  if (auto f = llvm::dyn_cast<FloatAttr>(attr))
    return f.getValue().convertToFloat();
  if (auto t = llvm::dyn_cast<TypeAttr>(attr)) {
    if (llvm::isa<ShapedType>(t.getValue()))
      return typeAsShape(t.getValue());
    if (llvm::isa<RefType>(t.getValue()))
      return dtypeOf(t.getValue());
    return dtypeOfElement(t.getValue());
  }
  if (auto e = llvm::dyn_cast<ElementsAttr>(attr)) {
    TensorValue t;
    auto type = llvm::cast<ShapedType>(e.getType());
    t.dtype = dtypeOfElement(type.getElementType());
    t.shape = Shape(std::span<const int64_t>(type.getShape().data(), type.getShape().size()));
    if (auto strings = llvm::dyn_cast<DenseStringElementsAttr>(attr)) {
      for (llvm::StringRef s : strings.getValues<llvm::StringRef>())
        t.string_val.push_back(s.str());
    } else {
      t.content = denseBytes(state, e);
    }
    return AttrValue(std::move(t));
  }
  if (auto d = llvm::dyn_cast<DictionaryAttr>(attr)) {
    FuncValue func;
    if (auto name = d.getAs<StringAttr>("func"))
      func.name = name.getValue().str();
    if (auto attrs = d.getAs<DictionaryAttr>("attrs"); attrs && !attrs.empty()) {
      auto map = std::make_shared<AttrMap>();
      for (NamedAttribute a : attrs)
        (*map)[a.getName().str()] = fromAttribute(state, a.getValue());
      func.attrs = map;
    }
    return func;
  }
  if (auto a = llvm::dyn_cast<ArrayAttr>(attr)) {
    ListValue list;
    for (Attribute e : a) {
      AttrValue v = fromAttribute(state, e);
      if (auto *s = v.get<std::string>())
        list.s.push_back(*s);
      else if (auto *i = v.get<int64_t>())
        list.i.push_back(*i);
      else if (auto *f = v.get<float>())
        list.f.push_back(*f);
      else if (auto *b = v.get<bool>())
        list.b.push_back(*b);
      else if (auto *t = v.get<DType>())
        list.type.push_back(*t);
      else if (auto *sh = v.get<ShapeValue>())
        list.shape.push_back(*sh);
      else if (auto *tv = v.get<std::shared_ptr<const TensorValue>>())
        list.tensor.push_back(*tv);
      else if (auto *fn = v.get<FuncValue>())
        list.func.push_back(*fn);
    }
    return list;
  }
  return {};
}

const AttrMap &attrsOf(Operation *op) {
  CompileState &state = stateOf(op);
  std::shared_ptr<const AttrMap> &entry = state.attrs[op->getAttrDictionary()];
  if (!entry) {
    auto map = std::make_shared<AttrMap>();
    for (NamedAttribute a : op->getAttrs()) {
      // Names with a dot are the compiler's own notes.
      if (a.getName().getValue().contains('.'))
        continue;
      AttrValue v = fromAttribute(state, a.getValue());
      if (v.kind() != AttrValue::Kind::kNone)
        (*map)[a.getName().str()] = std::move(v);
    }
    entry = std::move(map);
  }
  return *entry;
}

Bytes denseBytes(CompileState &state, ElementsAttr attr) {
  auto it = state.bytes.find(attr);
  if (it != state.bytes.end())
    return it->second;
  Bytes bytes;
  if (auto dense = llvm::dyn_cast<DenseIntOrFPElementsAttr>(attr)) {
    bytes = spread(dense);
  } else if (auto resource = llvm::dyn_cast<DenseResourceElementsAttr>(attr)) {
    // Only text brings a resource without known bytes; the context owns it.
    ArrayRef<char> data = resource.getData();
    bytes = Bytes(std::string(data.data(), data.size()));
  }
  return state.bytes.try_emplace(attr, std::move(bytes)).first->second;
}

ElementsAttr makeElements(CompileState &state, MLIRContext *c, DType dtype, ArrayRef<int64_t> dims,
                          Bytes bytes, llvm::StringRef hint) {
  const auto type = RankedTensorType::get(dims, elementType(c, dtype));
  const int64_t n = type.getNumElements();
  ElementsAttr attr;
  if (n <= kInTheOpen && !IsQuantized(dtype)) {
    if (dtype == DType::kBool) {
      SmallVector<bool> values;
      for (char b : bytes.view())
        values.push_back(b != 0);
      attr = DenseElementsAttr::get(type, ArrayRef<bool>(values));
    } else {
      attr = DenseElementsAttr::getFromRawBuffer(type, ArrayRef<char>(bytes.data(), bytes.size()));
    }
  } else {
    AsmResourceBlob blob(ArrayRef<char>(bytes.data(), bytes.size()), /*dataAlignment=*/1, nullptr,
                         false);
    attr = DenseResourceElementsAttr::get(
        type, DenseResourceElementsHandle::getManagerInterface(c).insert(hint, std::move(blob)));
  }
  state.bytes.try_emplace(attr, std::move(bytes));
  return attr;
}

ElementsAttr constantValue(Operation *op) {
  return isNamed(op, "Const") ? op->getAttrOfType<ElementsAttr>("value") : ElementsAttr();
}

Value makeConstant(Operation *before, Location loc, ElementsAttr value) {
  MLIRContext *c = before->getContext();
  auto type = llvm::cast<ShapedType>(value.getType());
  OperationState op(loc, dialectOf(c)->define(*stateOf(before).registry->Find("Const")));
  op.addAttribute("dtype", TypeAttr::get(type.getElementType()));
  op.addAttribute("value", value);
  op.addTypes(type);
  mlir::OpBuilder b(before);
  return b.create(op)->getResult(0);
}

} // namespace millrace::compiler
