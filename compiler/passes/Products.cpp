#include "millrace/compiler/passes/Products.h"

using namespace mlir;

namespace millrace::compiler {

std::optional<Product> productOf(Operation *op) {
  Product p;
  p.op = op;
  if (isNamed(op, "Conv2D"))
    p.kind = Product::Kind::kConv2D;
  else if (isNamed(op, "DepthwiseConv2dNative"))
    p.kind = Product::Kind::kDepthwise;
  else if (isNamed(op, "MatMul"))
    p.kind = Product::Kind::kMatMul;
  else
    return std::nullopt;
  // Narrower types round at every node, which one pass over them would not.
  const DType dtype = dtypeOf(op->getResult(0).getType());
  if ((dtype != DType::kFloat && dtype != DType::kDouble) || !isReplaceable(op))
    return std::nullopt;
  if (Value control = controlResult(op); control && !control.use_empty())
    return std::nullopt;
  p.rank = p.kind == Product::Kind::kMatMul ? 2 : 4;
  p.channelAxis = p.rank - 1;
  if (p.kind == Product::Kind::kMatMul) {
    auto transposed = op->getAttrOfType<BoolAttr>("transpose_b");
    p.weightsLast = !transposed || !transposed.getValue();
  } else if (auto format = op->getAttrOfType<StringAttr>("data_format");
             format && format.getValue() == "NCHW") {
    p.channelAxis = 1;
  }
  const SymShape shape = shapeOf(op->getResult(0).getType());
  if (shape.rank() != p.rank)
    return std::nullopt;
  const Dim channels = shape.dims[static_cast<size_t>(p.channelAxis)];
  p.channels = channels.known() ? channels.value() : -1;
  return p;
}

ElementsAttr channelConstant(Value v, const Product &p, bool *isScalar) {
  ElementsAttr value = constantValue(v);
  if (!value || p.channels < 0)
    return {};
  auto type = llvm::cast<ShapedType>(value.getType());
  const int rank = static_cast<int>(type.getRank());
  if (rank > p.rank)
    return {};
  *isScalar = true;
  for (int i = 0; i < rank; ++i) {
    const int64_t d = type.getDimSize(static_cast<unsigned>(i));
    if (d == 1)
      continue;
    if (i + p.rank - rank != p.channelAxis || d != p.channels)
      return {};
    *isScalar = false;
  }
  if (p.channels == 1)
    *isScalar = false;
  return value;
}

Operation *onlyUser(Value v) {
  if (!v.hasOneUse())
    return nullptr;
  Operation *user = *v.getUsers().begin();
  if (!opOf(user) || !isReplaceable(user) || user->getNumResults() == 0)
    return nullptr;
  for (Value result : user->getResults().drop_front())
    if (!result.use_empty())
      return nullptr;
  return user;
}

} // namespace millrace::compiler
