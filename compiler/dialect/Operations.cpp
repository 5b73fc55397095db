// Reading operations: effects, control values, names.
#include "millrace/compiler/dialect/Graph.h"
#include "millrace/proto/value/strings.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"

using namespace mlir;

namespace millrace::compiler {

const Op *opOf(Operation *op) {
  Dialect *dialect = op->getDialect();
  if (!dialect || dialect->getTypeID() != TypeID::get<GraphDialect>())
    return nullptr;
  return static_cast<GraphDialect *>(dialect)->find(op->getName());
}

bool isStructural(Operation *op, llvm::StringRef name) {
  llvm::StringRef full = op->getName().getStringRef();
  return full.consume_front("graph.") && full == name;
}

bool isNamed(Operation *op, llvm::StringRef registryName) {
  const Op *def = opOf(op);
  return def && llvm::StringRef(def->name()) == registryName;
}

unsigned numData(OperandRange operands) {
  unsigned n = operands.size();
  while (n && isControl(operands[n - 1]))
    --n;
  return n;
}
OperandRange dataOperands(Operation *op) {
  return op->getOperands().take_front(numData(op->getOperands()));
}
OperandRange controlOperands(Operation *op) {
  return op->getOperands().drop_front(numData(op->getOperands()));
}

unsigned numDataResults(Operation *op) { return op->getNumResults() - (controlResult(op) ? 1 : 0); }
Value controlResult(Operation *op) {
  if (op->getNumResults() == 0)
    return {};
  Value last = op->getResult(op->getNumResults() - 1);
  return isControl(last) ? last : Value();
}

bool hasNoEffects(Operation *op) {
  if (const Op *def = opOf(op))
    return !def->has_effects();
  return isStructural(op, "dims") || isStructural(op, "alias") || isStructural(op, "copy");
}

bool onlyReads(Operation *op) {
  const Op *def = opOf(op);
  if (!def)
    return isStructural(op, "read");
  return def->has_effects() && llvm::all_of(def->effects(), [](const Effect &e) {
           return e.kind == Effect::Kind::kRead || e.kind == Effect::Kind::kCreate;
         });
}

bool createsResource(const Op &def) {
  return !def.effects().empty() && def.effects()[0].kind == Effect::Kind::kCreate;
}
bool createsResource(Operation *op) {
  const Op *def = opOf(op);
  return def && createsResource(*def);
}

std::pair<std::string, std::string> resourceName(Operation *creator) {
  const AttrMap &attrs = attrsOf(creator);
  const auto text = [&](const char *name) -> std::string {
    auto it = attrs.find(name);
    const std::string *s = it == attrs.end() ? nullptr : it->second.get<std::string>();
    return s ? *s : "";
  };
  std::string name = text("shared_name");
  if (name.empty())
    name = nodeName(creator->getLoc()).str();
  return {text("container"), std::move(name)};
}

bool isReplaceable(Operation *op) { return hasNoEffects(op) && controlOperands(op).empty(); }

bool Carriers::above(Operation *op) const {
  return !set.empty() && llvm::any_of(op->getOperands(), [&](Value v) {
    return v.getDefiningOp() && set.contains(v.getDefiningOp());
  });
}

Carriers::Carriers(Operation *module) {
  forEachOp(module, [&](Operation *op) {
    const Op *def = opOf(op);
    const bool acts = def && llvm::any_of(def->effects(), [](const Effect &e) {
                        return e.kind == Effect::Kind::kWrite || e.kind == Effect::Kind::kOutside;
                      });
    if (acts || above(op))
      set.insert(op);
  });
}

void updateSignatures(Operation *module) {
  for (auto func : llvm::cast<ModuleOp>(module).getOps<func::FuncOp>()) {
    if (func.isExternal())
      continue;
    Block &block = func.getBody().front();
    func.setType(FunctionType::get(module->getContext(), block.getArgumentTypes(),
                                   block.getTerminator()->getOperandTypes()));
  }
}

llvm::StringRef nodeName(Location loc) {
  if (auto named = llvm::dyn_cast<NameLoc>(loc))
    return named.getName().getValue();
  if (auto fused = llvm::dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (llvm::StringRef name = nodeName(part); !name.empty())
        return name;
  return "";
}

static void collectNames(Location loc, SmallVectorImpl<llvm::StringRef> &names) {
  if (auto named = llvm::dyn_cast<NameLoc>(loc))
    names.push_back(named.getName().getValue());
  else if (auto fused = llvm::dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      collectNames(part, names);
}

SmallVector<llvm::StringRef> otherNodes(Location loc) {
  SmallVector<llvm::StringRef> names;
  collectNames(loc, names);
  if (!names.empty())
    names.erase(names.begin());
  return names;
}

Location nodeLocation(MLIRContext *context, llvm::StringRef name) {
  return NameLoc::get(StringAttr::get(context, name));
}

Location mergeLocations(Location into, ArrayRef<Location> taken) {
  SmallVector<Location> parts{into};
  parts.append(taken.begin(), taken.end());
  return FusedLoc::get(into.getContext(), parts);
}

std::string valueName(Value value) {
  if (auto result = llvm::dyn_cast<OpResult>(value))
    return Cat(std::string_view(nodeName(result.getLoc())), ":", result.getResultNumber());
  return nodeName(value.getLoc()).str(); // a feed: its location is "x:0"
}

LogicalResult fail(Operation *op, const Status &status) {
  const Op *def = opOf(op);
  const llvm::StringRef node = nodeName(op->getLoc());
  Status blamed = node.empty() ? status : status.At(std::string_view(node), def ? def->name() : "");
  CompileState &state = stateOf(op);
  if (state.error.ok())
    state.error = blamed;
  return op->emitError() << blamed.ToString();
}

} // namespace millrace::compiler
