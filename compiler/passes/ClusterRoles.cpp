#include "millrace/compiler/passes/ClusterRoles.h"
#include "millrace/compiler/dialect/Devices.h"
#include "millrace/compiler/passes/Rewrite.h"
#include "millrace/ops/cluster/kinds.h"
#include "millrace/ops/expr/expression.h"

using namespace mlir;

namespace millrace::compiler {
namespace {

constexpr unsigned kMaxAddends = 64;
constexpr int64_t kMostColumns = 4096;

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

// The axes of a reduction of `rank` dimensions, as a set of bits; 0 where they are
// not known.
uint64_t reducedAxes(Operation *op, int rank) {
  const auto axes = integersOf(op->getOperand(1));
  if (!axes || rank <= 0 || rank > 64)
    return 0;
  uint64_t reduced = 0;
  for (const int64_t axis : *axes) {
    if (axis < -rank || axis >= rank)
      return 0; // an error of the run
    reduced |= uint64_t{1} << (axis < 0 ? axis + rank : axis);
  }
  return reduced;
}

// A row of results is kept for each block of rows, and one thread makes it.
bool columnsFit(const SymShape &shape, int rowRank) {
  int64_t elements = 1;
  for (const Dim d : llvm::ArrayRef(shape.dims).take_back(static_cast<size_t>(rowRank))) {
    if (!d.known())
      return false;
    elements *= std::min(d.value(), kMostColumns + 1);
    if (elements > kMostColumns)
      return false;
  }
  return true;
}

Role reduction(Operation *op, llvm::StringRef name, const SymShape &result) {
  const SymShape operand = shapeOf(op->getOperand(0).getType());
  const int rank = operand.rank();
  int columns = 0;
  if (name == "BiasAddGrad") {
    auto format = op->getAttrOfType<StringAttr>("data_format");
    if (rank < 2 || (format && format.getValue() != "NHWC" && rank > 2))
      return outside("its channels are not last");
    columns = 1;
  } else {
    const uint64_t reduced = reducedAxes(op, rank);
    const int first = llvm::countr_one(reduced), count = llvm::popcount(reduced);
    const int last = rank > 0 ? llvm::countl_one(reduced << (64 - rank)) : 0;
    if (count > 0 && last == count && isRow(result, operand, last))
      return inside(Role::Kind::kReduce, name, last);
    if (count > 0 && first == count && !cluster::IsIndexOf(name))
      columns = rank - first;
  }
  if (columns == 0)
    return outside("it reduces neither the first axes nor the last ones");
  return columnsFit(operand, columns) ? inside(Role::Kind::kColumns, name, columns)
                                      : outside("its results are many");
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
  bool variant = false;
  if (traits.variant)
    if (auto flag = op->getAttrOfType<BoolAttr>(traits.variant_attr))
      variant = flag.getValue();
  if (!BodyFor(*def.expression(), variant, types, dtypeOf(op->getResult(0).getType()), Isa::kAvx2))
    return outside("it has no element-wise body for these types");
  return inside(Role::Kind::kElementwise, def.name());
}

// BiasAdd and AddN, which are additions.
Role addition(Operation *op, const SymShape &shape) {
  if (isNamed(op, "BiasAdd")) {
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

} // namespace

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
  const cluster::Kind kind = cluster::KindOf(def->name());
  const bool sum = name == "BiasAdd" || name == "AddN";
  if (kind == cluster::Kind::kElementwise && !sum && !def->expression())
    return outside("its op is not element-wise");
  if (!plain(op->getResult(0)) || !llvm::all_of(dataOperands(op), plain))
    return outside("its elements are no numbers");
  const auto sized = [](Value v) { return sizeIsKnown(v.getType()); };
  if (!sized(op->getResult(0)) || !llvm::all_of(dataOperands(op), sized))
    return outside("sizes are known only at the run");
  switch (kind) {
  case cluster::Kind::kReduce:
    return reduction(op, name, shape);
  case cluster::Kind::kRowFunction:
    return shape.rank() > 0 ? inside(Role::Kind::kRowFunction, name, 1) : outside("it has no rows");
  case cluster::Kind::kElementwise:
    return sum ? addition(op, shape) : elementwise(op, *def, shape);
  }
}

} // namespace millrace::compiler
