#include "millrace/compiler/passes/ClusterRoles.h"
#include "millrace/compiler/dialect/Devices.h"
#include "millrace/ops/expr/expression.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace millrace::compiler {
namespace {

constexpr unsigned kMaxAddends = 64;

Role outside(const char *why) {
  Role role;
  role.why = why;
  return role;
}

Role inside(Role::Kind kind, llvm::StringRef op, int rowRank = 0) {
  Role role;
  role.kind = kind;
  role.op = op;
  role.rowRank = rowRank;
  return role;
}

// The axes of a reduction, where they are the last ones: how many; else 0.
int trailingAxes(Operation *op, int rank) {
  ElementsAttr axes = constantValue(op->getOperand(1));
  if (!axes || rank <= 0 || rank > 64)
    return 0;
  const Bytes bytes = denseBytes(stateOf(op), axes);
  const DType dtype = dtypeOfElement(llvm::cast<ShapedType>(axes.getType()).getElementType());
  const size_t count = static_cast<size_t>(axes.getNumElements());
  uint64_t reduced = 0;
  for (size_t i = 0; i < count; ++i) {
    int64_t axis = 0;
    if (dtype == DType::kInt32) {
      int32_t narrow;
      std::memcpy(&narrow, bytes.data() + 4 * i, 4);
      axis = narrow;
    } else if (dtype == DType::kInt64) {
      std::memcpy(&axis, bytes.data() + 8 * i, 8);
    } else {
      return 0;
    }
    if (axis < -rank || axis >= rank)
      return 0; // an error of the run
    reduced |= uint64_t{1} << (axis < 0 ? axis + rank : axis);
  }
  int trailing = 0;
  while (trailing < rank && (reduced >> (rank - 1 - trailing) & 1) != 0)
    ++trailing;
  return llvm::popcount(reduced) == trailing ? trailing : 0;
}

bool allOfShape(Operation *op, const SymShape &shape) {
  return llvm::all_of(dataOperands(op), [&](Value v) {
    const SymShape s = shapeOf(v.getType());
    return s == shape || s.rank() == 0;
  });
}

Role elementwise(Operation *op, const Op &def, const SymShape &shape) {
  const ExpressionTraits &traits = def.expression()->traits;
  // What such an op does beside broadcasting shows only where shapes differ.
  if (traits.factory && !allOfShape(op, shape))
    return outside("its operands are not broadcast as those of other ops are");
  SmallVector<DType, kMaxOperands> types;
  for (Value v : dataOperands(op))
    types.push_back(dtypeOf(v.getType()));
  if (traits.attr_operand)
    types.push_back(types.empty() ? DType::kInvalid : types[0]);
  const Expression *expression = def.expression();
  if (traits.variant)
    if (auto flag = op->getAttrOfType<BoolAttr>(traits.variant_attr); flag && flag.getValue())
      if (traits.variant->Find(types, dtypeOf(op->getResult(0).getType()), Isa::kAvx2))
        expression = traits.variant;
  if (!expression->Find(types, dtypeOf(op->getResult(0).getType()), Isa::kAvx2))
    return outside("it has no element-wise body for these types");
  return inside(Role::Kind::kElementwise, def.name());
}

} // namespace

bool isDecided(const SymShape &shape) {
  return shape.has_rank && llvm::none_of(shape.dims, [](Dim d) { return d.unknown(); });
}

bool isOne(const SymShape &shape) {
  return shape.has_rank && llvm::all_of(shape.dims, [](Dim d) { return d == Dim(1); });
}

bool isDroppedRow(const SymShape &shape, const SymShape &space, int rowRank) {
  return shape.rank() == space.rank() - rowRank &&
         std::equal(shape.dims.begin(), shape.dims.end(), space.dims.begin());
}

bool isKeptRow(const SymShape &shape, const SymShape &space, int rowRank) {
  if (shape.rank() != space.rank() || rowRank > space.rank())
    return false;
  const auto rows = shape.dims.begin() + (shape.rank() - rowRank);
  return std::equal(shape.dims.begin(), rows, space.dims.begin()) &&
         std::all_of(rows, shape.dims.end(), [](Dim d) { return d == Dim(1); });
}

Role roleOf(Operation *op) {
  if (isStructural(op, "alias"))
    return inside(Role::Kind::kAlias, "");
  const Op *def = opOf(op);
  if (!def)
    return outside("");
  if (!isReplaceable(op))
    return outside(def->has_effects() ? "it has effects" : "it waits for other nodes");
  if (Value control = controlResult(op); control && !control.use_empty())
    return outside("other nodes wait for it");
  if (severalDevices(op) && kindOf(op) != "CPU")
    return outside("its device has no clusters");
  if (numDataResults(op) != 1)
    return outside("its op is not element-wise");
  const auto plain = [](Value v) {
    const DType dtype = dtypeOf(v.getType());
    return !IsRef(dtype) && !IsObject(dtype);
  };
  const SymShape shape = shapeOf(op->getResult(0).getType());
  const llvm::StringRef name = def->name();
  const int reduced = llvm::StringSwitch<int>(name)
                          .Cases({"Sum", "Mean", "Max", "Min", "Prod", "Any", "All"}, 1)
                          .Cases({"Softmax", "LogSoftmax"}, 2)
                          .Cases({"BiasAdd", "AddN"}, 3)
                          .Default(0);
  if (!reduced && !def->expression())
    return outside("its op is not element-wise");
  if (!plain(op->getResult(0)) || !llvm::all_of(dataOperands(op), plain))
    return outside("its elements are no numbers");
  if (!isDecided(shape) ||
      !llvm::all_of(dataOperands(op), [](Value v) { return isDecided(shapeOf(v.getType())); }))
    return outside("sizes are known only at the run");
  switch (reduced) {
  case 1: {
    const SymShape operand = shapeOf(op->getOperand(0).getType());
    const int rows = trailingAxes(op, operand.rank());
    return rows > 0 && isRow(shape, operand, rows) ? inside(Role::Kind::kReduce, name, rows)
                                                   : outside("it does not reduce the last axes");
  }
  case 2:
    return shape.rank() > 0 ? inside(Role::Kind::kRowFunction, name, 1) : outside("it has no rows");
  case 3: {
    if (name == "BiasAdd") {
      auto format = op->getAttrOfType<StringAttr>("data_format");
      if (format && format.getValue() != "NHWC" && shape.rank() > 2)
        return outside("its channels are not last");
    } else if (!allOfShape(op, shape) || dataOperands(op).size() < 2 ||
               dataOperands(op).size() > kMaxAddends) {
      return outside("its op is not element-wise");
    }
    const Op *add = stateOf(op).registry->Find("AddV2");
    const DType type = dtypeOf(op->getResult(0).getType()), types[] = {type, type};
    return add && add->expression() && add->expression()->Find(types, type, Isa::kAvx2)
               ? inside(Role::Kind::kElementwise, "AddV2")
               : outside("it has no element-wise body for these types");
  }
  default:
    return elementwise(op, *def, shape);
  }
}

} // namespace millrace::compiler
