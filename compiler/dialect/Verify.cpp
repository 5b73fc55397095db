// Verifiers of the dialect's operations.
#include "millrace/compiler/dialect/Graph.h"
#include "millrace/compiler/dialect/RegistryOp.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;

namespace millrace::compiler {
namespace {

std::string nameOf(DType dtype) {
  return dtype == DType::kInvalid ? "control or unknown" : DTypeName(dtype);
}

// Dtypes of one argument: appends one entry for each tensor.
LogicalResult appendTypes(Operation *op, const ArgDef &arg, SmallVectorImpl<DType> &types) {
  const auto ref = [&](DType d) { return arg.is_ref ? MakeRef(d) : d; };
  if (!arg.type_list_attr.empty()) {
    auto list = op->getAttrOfType<ArrayAttr>(arg.type_list_attr);
    if (!list)
      return op->emitOpError() << "expected the attribute '" << arg.type_list_attr
                               << "', a list of types";
    for (Attribute a : list) {
      const AttrValue value = fromAttribute(stateOf(op), a);
      const DType *t = value.get<DType>();
      types.push_back(ref(t ? *t : DType::kInvalid));
    }
    return success();
  }
  int64_t count = 1;
  if (!arg.number_attr.empty()) {
    auto n = op->getAttrOfType<IntegerAttr>(arg.number_attr);
    if (!n || n.getInt() < 0 || n.getInt() > (int64_t{1} << 31))
      return op->emitOpError() << "expected the attribute '" << arg.number_attr << "', a count";
    count = n.getInt();
  }
  // More than there can be is a mismatch that the caller reports.
  count = std::min<int64_t>(count, int64_t{op->getNumOperands()} + op->getNumResults() + 1);
  DType dtype = arg.type;
  if (dtype == DType::kInvalid) {
    auto t = op->getAttrOfType<TypeAttr>(arg.type_attr);
    if (!t)
      return op->emitOpError() << "expected the attribute '" << arg.type_attr << "', a type";
    dtype = dtypeOfElement(t.getValue());
  }
  types.append(static_cast<size_t>(count), ref(dtype));
  return success();
}

LogicalResult compare(Operation *op, llvm::StringRef what, ArrayRef<DType> expected,
                      TypeRange found) {
  unsigned data = 0;
  while (data < found.size() && !llvm::isa<ControlType>(found[data]))
    ++data;
  for (unsigned i = data; i < found.size(); ++i)
    if (!llvm::isa<ControlType>(found[i]))
      return op->emitOpError() << what << " " << i << " follows a control " << what;
  if (expected.size() != data)
    return op->emitOpError() << "expected " << expected.size() << " " << what << "s, found "
                             << data;
  for (unsigned i = 0; i < data; ++i)
    if (dtypeOf(found[i]) != expected[i])
      return op->emitOpError() << "expected " << nameOf(expected[i]) << " as " << what << " " << i
                               << ", found " << nameOf(dtypeOf(found[i]));
  return success();
}

bool isKind(Attribute a, llvm::StringRef type) {
  if (type.consume_front("list(")) {
    auto list = llvm::dyn_cast<ArrayAttr>(a);
    type.consume_back(")");
    return list && llvm::all_of(list, [&](Attribute e) { return isKind(e, type); });
  }
  if (type == "string")
    return llvm::isa<StringAttr>(a);
  if (type == "int")
    return llvm::isa<IntegerAttr>(a) && !llvm::isa<BoolAttr>(a);
  if (type == "float")
    return llvm::isa<FloatAttr>(a);
  if (type == "bool")
    return llvm::isa<BoolAttr>(a);
  if (type == "type")
    return llvm::isa<TypeAttr>(a) && !llvm::isa<ShapedType>(llvm::cast<TypeAttr>(a).getValue());
  if (type == "shape")
    return llvm::isa<TypeAttr>(a) && llvm::isa<ShapedType>(llvm::cast<TypeAttr>(a).getValue());
  if (type == "tensor")
    return llvm::isa<ElementsAttr>(a);
  return llvm::isa<DictionaryAttr>(a); // func
}

} // namespace

LogicalResult verifyAgainstSignature(Operation *op, const Op &def) {
  if (op->getNumRegions() || op->getNumSuccessors())
    return op->emitOpError() << "has no regions and no successors";
  for (const AttrDef &attr : def.signature().attrs) {
    Attribute a = op->getAttr(attr.name);
    if (!a)
      return op->emitOpError() << "expected the attribute '" << attr.name << "' of type "
                               << attr.type;
    if (!isKind(a, attr.type))
      return op->emitOpError() << "expected " << attr.type << " as attribute '" << attr.name
                               << "', found " << a;
  }
  SmallVector<DType, 8> inputs, outputs;
  for (const ArgDef &arg : def.signature().inputs)
    if (failed(appendTypes(op, arg, inputs)))
      return failure();
  for (const ArgDef &arg : def.signature().outputs)
    if (failed(appendTypes(op, arg, outputs)))
      return failure();
  if (failed(compare(op, "operand", inputs, op->getOperandTypes())))
    return failure();
  if (failed(compare(op, "result", outputs, op->getResultTypes())))
    return failure();
  if (op->getNumResults() > outputs.size() + 1)
    return op->emitOpError() << "expected one control result at most";
  return success();
}

LogicalResult verifyStructural(Operation *op) {
  const unsigned data = numData(op->getOperands());
  const bool dims = isStructural(op, "dims"), read = isStructural(op, "read");
  if (op->getNumResults() != 1 || !llvm::isa<TensorType>(op->getResult(0).getType()))
    return op->emitOpError() << "expected one tensor as result";
  if (data != (dims ? 0u : 1u))
    return op->emitOpError() << "expected " << (dims ? 0 : 1) << " operands, found " << data;
  const DType result = dtypeOf(op->getResult(0).getType());
  if (dims) {
    auto elements = op->getAttrOfType<DimsAttr>("elements");
    if (!elements)
      return op->emitOpError() << "expected the attribute 'elements' of type #graph.dims";
    auto type = llvm::dyn_cast<RankedTensorType>(op->getResult(0).getType());
    if ((result != DType::kInt32 && result != DType::kInt64) || !type || type.getRank() > 1 ||
        !type.hasStaticShape() || type.getNumElements() != static_cast<int64_t>(elements.size()))
      return op->emitOpError()
             << "expected int32 or int64, rank 0 or 1, with as many elements as 'elements'";
    return success();
  }
  const DType operand = dtypeOf(op->getOperand(0).getType());
  if (read && !IsRef(operand))
    return op->emitOpError() << "expected a reference, found " << nameOf(operand);
  if (BaseType(operand) != result)
    return op->emitOpError() << "expected " << nameOf(BaseType(operand)) << " as result, found "
                             << nameOf(result);
  return success();
}

} // namespace millrace::compiler
