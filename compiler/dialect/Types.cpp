// Dtypes and shapes as MLIR types, and back.
#include "millrace/compiler/dialect/Graph.h"

using namespace mlir;

namespace millrace::compiler {

Type elementType(MLIRContext *c, DType dtype) {
  const auto integer = [&](unsigned width, bool isUnsigned) {
    return IntegerType::get(c, width, isUnsigned ? IntegerType::Unsigned : IntegerType::Signless);
  };
  switch (dtype) {
  case DType::kFloat:
    return Float32Type::get(c);
  case DType::kDouble:
    return Float64Type::get(c);
  case DType::kHalf:
    return Float16Type::get(c);
  case DType::kBfloat16:
    return BFloat16Type::get(c);
  case DType::kInt8:
    return integer(8, false);
  case DType::kInt16:
    return integer(16, false);
  case DType::kInt32:
    return integer(32, false);
  case DType::kInt64:
    return integer(64, false);
  case DType::kUint8:
    return integer(8, true);
  case DType::kUint16:
    return integer(16, true);
  case DType::kUint32:
    return integer(32, true);
  case DType::kUint64:
    return integer(64, true);
  case DType::kBool:
    return integer(1, false);
  case DType::kComplex64:
    return ComplexType::get(Float32Type::get(c));
  case DType::kComplex128:
    return ComplexType::get(Float64Type::get(c));
  default:
    return ElementType::get(c, dtype);
  }
}

DType dtypeOfElement(Type type) {
  if (type.isF32())
    return DType::kFloat;
  if (type.isF64())
    return DType::kDouble;
  if (type.isF16())
    return DType::kHalf;
  if (type.isBF16())
    return DType::kBfloat16;
  if (auto i = llvm::dyn_cast<IntegerType>(type)) {
    const bool u = i.isUnsigned();
    switch (i.getWidth()) {
    case 1:
      return DType::kBool;
    case 8:
      return u ? DType::kUint8 : DType::kInt8;
    case 16:
      return u ? DType::kUint16 : DType::kInt16;
    case 32:
      return u ? DType::kUint32 : DType::kInt32;
    case 64:
      return u ? DType::kUint64 : DType::kInt64;
    default:
      return DType::kInvalid;
    }
  }
  if (auto c = llvm::dyn_cast<ComplexType>(type))
    return c.getElementType().isF32()
               ? DType::kComplex64
               : (c.getElementType().isF64() ? DType::kComplex128 : DType::kInvalid);
  if (auto e = llvm::dyn_cast<ElementType>(type))
    return e.dtype();
  return DType::kInvalid;
}

Type valueType(MLIRContext *c, DType dtype, const SymShape &shape) {
  if (IsRef(dtype))
    return RefType::get(llvm::cast<TensorType>(valueType(c, BaseType(dtype), shape)));
  const Type element = elementType(c, dtype);
  if (!shape.has_rank)
    return UnrankedTensorType::get(element);
  SmallVector<int64_t, 8> dims;
  SmallVector<Dim, 8> open;
  bool symbols = false;
  for (Dim d : shape.dims) {
    dims.push_back(d.known() ? d.value() : ShapedType::kDynamic);
    if (!d.known())
      open.push_back(d);
    symbols |= d.symbolic();
  }
  return RankedTensorType::get(dims, element,
                               symbols ? DimsAttr::get(c, ArrayRef<Dim>(open)) : Attribute());
}

DType dtypeOf(Type type) {
  if (auto t = llvm::dyn_cast<TensorType>(type))
    return dtypeOfElement(t.getElementType());
  if (auto r = llvm::dyn_cast<RefType>(type))
    return MakeRef(dtypeOfElement(r.tensor().getElementType()));
  return DType::kInvalid;
}

SymShape shapeOf(Type type) {
  if (auto r = llvm::dyn_cast<RefType>(type))
    type = r.tensor();
  auto t = llvm::dyn_cast<RankedTensorType>(type);
  if (!t)
    return SymShape();
  auto symbols = llvm::dyn_cast_or_null<DimsAttr>(t.getEncoding());
  std::vector<Dim> dims;
  dims.reserve(static_cast<size_t>(t.getRank()));
  size_t next = 0;
  for (int64_t d : t.getShape()) {
    if (!ShapedType::isDynamic(d))
      dims.push_back(Dim(d));
    else if (symbols && next < symbols.size())
      dims.push_back(symbols[next++].dim());
    else
      dims.push_back(Dim());
  }
  return SymShape(std::move(dims));
}

} // namespace millrace::compiler
