// The dialect: its types and attributes, with their text.
#include "millrace/compiler/dialect/Graph.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;

MLIR_DEFINE_EXPLICIT_TYPE_ID(millrace::compiler::GraphDialect)
MLIR_DEFINE_EXPLICIT_TYPE_ID(millrace::compiler::ElementType)
MLIR_DEFINE_EXPLICIT_TYPE_ID(millrace::compiler::RefType)
MLIR_DEFINE_EXPLICIT_TYPE_ID(millrace::compiler::ControlType)
MLIR_DEFINE_EXPLICIT_TYPE_ID(millrace::compiler::DimsAttr)

namespace millrace::compiler {
namespace detail {

struct ElementTypeStorage : TypeStorage {
  using KeyTy = int32_t;
  explicit ElementTypeStorage(KeyTy key) : dtype(key) {}
  bool operator==(const KeyTy &key) const { return key == dtype; }
  static ElementTypeStorage *construct(TypeStorageAllocator &allocator, const KeyTy &key) {
    return new (allocator.allocate<ElementTypeStorage>()) ElementTypeStorage(key);
  }
  int32_t dtype;
};

struct RefTypeStorage : TypeStorage {
  using KeyTy = Type;
  explicit RefTypeStorage(KeyTy key) : tensor(key) {}
  bool operator==(const KeyTy &key) const { return key == tensor; }
  static RefTypeStorage *construct(TypeStorageAllocator &allocator, const KeyTy &key) {
    return new (allocator.allocate<RefTypeStorage>()) RefTypeStorage(key);
  }
  Type tensor;
};

// Two numbers an element: its kind, and the number or expression.
struct DimsAttrStorage : AttributeStorage {
  using KeyTy = ArrayRef<int64_t>;
  explicit DimsAttrStorage(KeyTy key) : flat(key) {}
  bool operator==(const KeyTy &key) const { return key == flat; }
  static llvm::hash_code hashKey(const KeyTy &key) {
    return llvm::hash_combine_range(key.begin(), key.end());
  }
  static DimsAttrStorage *construct(AttributeStorageAllocator &allocator, const KeyTy &key) {
    return new (allocator.allocate<DimsAttrStorage>()) DimsAttrStorage(allocator.copyInto(key));
  }
  ArrayRef<int64_t> flat;
};

} // namespace detail

ElementType ElementType::get(MLIRContext *context, DType dtype) {
  return Base::get(context, static_cast<int32_t>(dtype));
}
DType ElementType::dtype() const { return static_cast<DType>(getImpl()->dtype); }

RefType RefType::get(TensorType tensor) { return Base::get(tensor.getContext(), tensor); }
TensorType RefType::tensor() const { return llvm::cast<TensorType>(getImpl()->tensor); }

DimsAttr DimsAttr::get(MLIRContext *context, ArrayRef<SymElement> elements) {
  SmallVector<int64_t, 16> flat;
  for (const SymElement &e : elements) {
    flat.push_back(static_cast<int64_t>(e.kind));
    flat.push_back(e.kind == SymElement::Kind::kExpr ? e.expr : e.number);
  }
  return Base::get(context, ArrayRef<int64_t>(flat));
}
DimsAttr DimsAttr::get(MLIRContext *context, ArrayRef<Dim> dims) {
  SmallVector<SymElement, 8> elements;
  for (Dim d : dims)
    elements.push_back(SymElement::Of(d));
  return get(context, elements);
}
size_t DimsAttr::size() const { return getImpl()->flat.size() / 2; }
SymElement DimsAttr::operator[](size_t i) const {
  const int64_t kind = getImpl()->flat[2 * i], number = getImpl()->flat[2 * i + 1];
  SymElement e;
  e.kind = static_cast<SymElement::Kind>(kind);
  if (e.kind == SymElement::Kind::kExpr)
    e.expr = static_cast<uint32_t>(number);
  else
    e.number = number;
  return e;
}

GraphDialect::GraphDialect(MLIRContext *context)
    : Dialect(getDialectNamespace(), context, TypeID::get<GraphDialect>()),
      stateOwner(std::make_unique<CompileState>()) {
  addTypes<ElementType, RefType, ControlType>();
  addAttributes<DimsAttr>();
  for (llvm::StringRef name : {"read", "dims", "alias", "copy"})
    defineStructural(name);
}
GraphDialect::~GraphDialect() = default;

void GraphDialect::defineAll(const Registry &registry) {
  for (const Op *op : registry.ops())
    define(*op);
}

static bool isDialectElement(DType dtype) { return IsObject(dtype) || IsQuantized(dtype); }

Type GraphDialect::parseType(DialectAsmParser &parser) const {
  llvm::StringRef keyword;
  if (parser.parseKeyword(&keyword))
    return {};
  if (keyword == "control")
    return ControlType::get(getContext());
  if (keyword == "ref") {
    Type tensor;
    if (parser.parseLess() || parser.parseType(tensor) || parser.parseGreater())
      return {};
    if (auto t = llvm::dyn_cast<TensorType>(tensor))
      return RefType::get(t);
    return parser.emitError(parser.getNameLoc(), "expected a tensor type in graph.ref"), Type();
  }
  if (std::optional<DType> dtype = ParseDType(std::string_view(keyword));
      dtype && isDialectElement(*dtype))
    return ElementType::get(getContext(), *dtype);
  parser.emitError(parser.getNameLoc(), "no type '") << keyword << "' in the graph dialect";
  return {};
}

void GraphDialect::printType(Type type, DialectAsmPrinter &printer) const {
  if (auto element = llvm::dyn_cast<ElementType>(type))
    printer << DTypeName(element.dtype());
  else if (auto ref = llvm::dyn_cast<RefType>(type))
    printer << "ref<" << ref.tensor() << ">";
  else
    printer << "control";
}

Attribute GraphDialect::parseAttribute(DialectAsmParser &parser, Type) const {
  llvm::StringRef keyword;
  if (parser.parseKeyword(&keyword))
    return {};
  if (keyword != "dims") {
    parser.emitError(parser.getNameLoc(), "no attribute '") << keyword << "' in the graph dialect";
    return {};
  }
  SmallVector<SymElement> elements;
  const auto parseOne = [&]() -> ParseResult {
    int64_t number = 0;
    if (parser.parseOptionalQuestion().succeeded()) {
      elements.emplace_back();
      return success();
    }
    if (OptionalParseResult r = parser.parseOptionalInteger(number); r.has_value()) {
      if (failed(*r))
        return failure();
      elements.push_back(SymElement::Number(number));
      return success();
    }
    llvm::StringRef word;
    const llvm::SMLoc loc = parser.getCurrentLocation();
    uint32_t index = 0;
    if (parser.parseKeyword(&word))
      return failure();
    if (!word.consume_front("d") || word.getAsInteger(10, index))
      return parser.emitError(loc, "expected a number, '?' or an expression such as d0");
    elements.push_back(SymElement::Of(Dim::Expr(index)));
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater, parseOne))
    return {};
  return DimsAttr::get(getContext(), elements);
}

void GraphDialect::printAttribute(Attribute attr, DialectAsmPrinter &printer) const {
  auto dims = llvm::cast<DimsAttr>(attr);
  printer << "dims<";
  for (size_t i = 0; i < dims.size(); ++i) {
    const SymElement e = dims[i];
    if (i)
      printer << ", ";
    if (e.kind == SymElement::Kind::kUnknown)
      printer << "?";
    else if (e.kind == SymElement::Kind::kNumber)
      printer << e.number;
    else
      printer << "d" << e.expr;
  }
  printer << ">";
}

} // namespace millrace::compiler
