#include "millrace/compiler/passes/ClusterSlices.h"
#include "millrace/compiler/passes/Rewrite.h"

using namespace mlir;

namespace millrace::compiler {
namespace {

// Where the part starts along the axis; nothing where that is not known.
std::optional<int64_t> beginAt(ArrayRef<int64_t> begins, int axis) {
  return axis < static_cast<int>(begins.size()) ? std::optional(begins[static_cast<size_t>(axis)])
                                                : std::nullopt;
}

std::optional<int64_t> beginOfStrided(Operation *op, int axis, int64_t whole) {
  const auto mask = [&](llvm::StringRef name) {
    auto attr = op->getAttrOfType<IntegerAttr>(name);
    return attr ? attr.getInt() : 0;
  };
  const auto begins = integersOf(op->getOperand(1)), steps = integersOf(op->getOperand(3));
  if (!begins || !steps || mask("ellipsis_mask") || mask("new_axis_mask") ||
      mask("shrink_axis_mask") || !llvm::all_of(*steps, [](int64_t step) { return step == 1; }))
    return std::nullopt;
  // Axes that are not named are there as a whole.
  if (axis >= static_cast<int>(begins->size()))
    return 0;
  if (axis < 63 && (mask("begin_mask") >> axis & 1) != 0)
    return 0;
  const std::optional<int64_t> begin = beginAt(*begins, axis);
  return *begin < 0 ? *begin + whole : *begin;
}

} // namespace

std::optional<ValueSlice> sliceOf(Value v) {
  auto result = llvm::dyn_cast<OpResult>(v);
  Operation *op = result ? result.getOwner() : nullptr;
  const Op *def = op ? opOf(op) : nullptr;
  if (!def || !isReplaceable(op))
    return std::nullopt;
  const llvm::StringRef name = def->name();
  const bool split = name == "Split", splitV = name == "SplitV", strided = name == "StridedSlice";
  if (!split && !splitV && !strided && name != "Slice")
    return std::nullopt;
  const Value source = op->getOperand(split ? 1 : 0);
  if (Operation *made = source.getDefiningOp(); isRefValue(source) || (made && onlyReads(made)))
    return std::nullopt;
  const SymShape from = shapeOf(source.getType()), to = shapeOf(v.getType());
  if (from.rank() < 1 || from.rank() != to.rank())
    return std::nullopt;
  // The one axis that changes; where extents are equal the whole is meant.
  int axis = -1;
  for (int d = 0; d < from.rank(); ++d) {
    const Dim whole = from.dims[static_cast<size_t>(d)], part = to.dims[static_cast<size_t>(d)];
    if (whole == part && !whole.unknown())
      continue;
    if (axis >= 0 || !whole.known() || !part.known())
      return std::nullopt;
    axis = d;
  }
  if (axis < 0)
    return std::nullopt;
  const auto extentOf = [&](Value value) {
    return shapeOf(value.getType()).dims[static_cast<size_t>(axis)];
  };
  std::optional<int64_t> begin;
  if (split || splitV) {
    begin = 0;
    for (Value before : op->getResults().take_front(result.getResultNumber())) {
      if (shapeOf(before.getType()).rank() != from.rank() || !extentOf(before).known())
        return std::nullopt;
      *begin += extentOf(before).value();
    }
  } else if (strided) {
    begin = beginOfStrided(op, axis, extentOf(source).value());
  } else if (const auto begins = integersOf(op->getOperand(1))) {
    begin = beginAt(*begins, axis);
  }
  const int64_t extent = extentOf(v).value();
  if (!begin || *begin < 0 || *begin > extentOf(source).value() - extent)
    return std::nullopt;
  return ValueSlice{source, axis, *begin, extent};
}

} // namespace millrace::compiler
