#include "millrace/compiler/passes/PlaceGroups.h"
#include "millrace/compiler/passes/Steps.h"
#include "millrace/proto/value/strings.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/OpDefinition.h"
#include "llvm/ADT/StringMap.h"
#include <map>

using namespace mlir;

namespace millrace::compiler {
namespace {

// Sets of numbers that are joined.
class Sets {
public:
  uint32_t add() {
    parents.push_back(static_cast<uint32_t>(parents.size()));
    return parents.back();
  }
  uint32_t find(uint32_t i) {
    while (parents[i] != i)
      i = parents[i] = parents[parents[i]];
    return i;
  }
  // The smaller number stands for both.
  void join(uint32_t a, uint32_t b) {
    a = find(a);
    b = find(b);
    parents[std::max(a, b)] = std::min(a, b);
  }

private:
  std::vector<uint32_t> parents;
};

LogicalResult mergeAsks(PlaceGroup &group, bool soft) {
  const auto take = [&](Operation *op) -> LogicalResult {
    const DeviceName asked = askedFor(op);
    if (asked.open())
      return success();
    if (!group.askedBy)
      group.askedBy = op;
    if (!group.asked.Contradicts(asked)) {
      group.asked = group.asked.Or(asked);
      return success();
    }
    if (soft)
      return success();
    return fail(
        op, InvalidArgument(Cat("asks for device '", asked.ToString(), "', but it must be with '",
                                std::string_view(nodeName(group.askedBy->getLoc())),
                                "', which asks for '", group.asked.ToString(), "'",
                                group.resource
                                    ? Cat(": both touch the variable '",
                                          std::string_view(nodeName(group.resource->getLoc())), "'")
                                    : ": the graph colocates them",
                                "; soft placement is off")));
  };
  if (group.resource && failed(take(group.resource)))
    return failure();
  for (Operation *op : group.members)
    if (op != group.resource && failed(take(op)))
      return failure();
  return success();
}

} // namespace

bool needsPlace(Operation *op) {
  return !op->hasTrait<OpTrait::IsTerminator>() && !isStructural(op, "copy") &&
         (!isTransparent(op) || createsResource(op));
}

FailureOr<std::vector<PlaceGroup>> placeGroups(Operation *module) {
  Sets sets;
  std::vector<Operation *> ops;
  llvm::DenseMap<Operation *, uint32_t> numbers;
  std::map<std::pair<std::string, std::string>, uint32_t> resources;
  // By node: what is colocated with it. The name itself is a member that may have
  // no operation.
  llvm::StringMap<uint32_t> colocated;
  const auto joinNamed = [&](auto &map, auto name, uint32_t i) {
    auto [it, fresh] = map.try_emplace(name, i);
    if (!fresh)
      sets.join(it->second, i);
  };
  bool anyColocated = false;
  forEachOp(module, [&](Operation *op) {
    if (!needsPlace(op))
      return;
    const uint32_t i = sets.add();
    ops.push_back(op);
    numbers[op] = i;
    if (createsResource(op))
      joinNamed(resources, resourceName(op), i);
    for (Value v : dataOperands(op))
      if (isResourceValue(v))
        if (auto source = numbers.find(v.getDefiningOp()); source != numbers.end())
          sets.join(source->second, i);
    if (auto others = op->getAttrOfType<ArrayAttr>("graph.colocate")) {
      anyColocated = true;
      for (Attribute other : others)
        joinNamed(colocated, llvm::cast<StringAttr>(other).getValue(), i);
    }
  });
  if (anyColocated)
    for (uint32_t i = 0; i < ops.size(); ++i)
      if (auto it = colocated.find(nodeName(ops[i]->getLoc())); it != colocated.end())
        sets.join(it->second, i);

  std::vector<PlaceGroup> groups;
  std::vector<uint32_t> groupOf(ops.size());
  for (uint32_t i = 0; i < ops.size(); ++i) {
    const uint32_t root = sets.find(i);
    if (root == i) {
      groupOf[i] = static_cast<uint32_t>(groups.size());
      groups.emplace_back();
    }
    PlaceGroup &group = groups[groupOf[root]];
    group.members.push_back(ops[i]);
    if (!group.resource && createsResource(ops[i]))
      group.resource = ops[i];
  }
  const bool soft = stateOf(module).softPlacement;
  for (PlaceGroup &group : groups)
    if (failed(mergeAsks(group, soft)))
      return failure();
  return groups;
}

} // namespace millrace::compiler
