// Updates of small variables by one op become one step. Every operation has a
// stage, the number of updates that it waits for one after the other: updates of
// one stage do not wait for each other, and as whoever waits for one of them is of
// a later stage, no path comes back to what they become.
#include "millrace/compiler/dialect/Devices.h"
#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Resources.h"
#include "millrace/compiler/passes/Steps.h"
#include "millrace/ops/train/update_many.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include <optional>

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_FUSEUPDATES
#include "millrace_passes/Passes.h.inc"

namespace {

// Elements of an update's operands: beyond, what a step costs is not seen.
constexpr int64_t kSmall = 1024;
// Of what becomes one step, which one thread runs: what was computed for it is
// still in the first cache, and other threads lose little.
constexpr int64_t kTogether = 4096;
constexpr size_t kMaxUpdates = 256;

class Fuser {
public:
  Fuser(Block &block, const Op &many, bool explain) : block(block), many(many), explain(explain) {}

  // Whether anything changed.
  bool run() {
    look();
    // What is written there, or read late, might be any variable.
    if (variables[Resources::kUnknown].writers || variables[Resources::kUnknown].readLate)
      return false;
    using Key = std::tuple<uint32_t, unsigned, const Op *, Attribute>;
    struct Group {
      SmallVector<Operation *> ops;
      int64_t elements = 0;
    };
    llvm::MapVector<Key, std::vector<Group>> groups;
    for (const Update &update : updates) {
      if (const char *why = whyAlone(update)) {
        note(update.op, why);
        continue;
      }
      const unsigned device = severalDevices(update.op) ? deviceOf(update.op) : 0;
      std::vector<Group> &alike =
          groups[{update.stage, device, opOf(update.op), attributesOf(update.op)}];
      const int64_t elements = *elementsOf(update.op);
      if (alike.empty() || alike.back().elements + elements > kTogether ||
          alike.back().ops.size() == kMaxUpdates)
        alike.emplace_back();
      alike.back().ops.push_back(update.op);
      alike.back().elements += elements;
    }
    bool changed = false;
    for (const auto &[key, alike] : groups)
      for (const Group &group : alike)
        if (group.ops.size() < 2) {
          note(group.ops[0], "no other small update could be made at the same time");
        } else {
          replace(group.ops);
          changed = true;
        }
    return changed;
  }

private:
  struct State {
    uint32_t stage = 0;
    bool afterWrite = false; // some write comes before
  };
  struct Update {
    Operation *op;
    uint32_t stage;
    SmallVector<Resources::Access, 1> accesses;
  };
  struct Variable {
    uint32_t writers = 0;
    bool readLate = false; // behind some write
  };

  void look() {
    Resources resources;
    variables.resize(1);
    llvm::DenseMap<Operation *, State> states;
    for (Operation &op : block.without_terminator()) {
      State state; // of who waits for the operation
      for (Value v : op.getOperands())
        if (Operation *source = v.getDefiningOp()) {
          const State from = states.lookup(source);
          state.stage = std::max(state.stage, from.stage);
          state.afterWrite |= from.afterWrite;
        }
      SmallVector<Resources::Access, 1> accesses = resources.see(&op);
      variables.resize(resources.size());
      const bool late = state.afterWrite;
      for (const Resources::Access &a : accesses) {
        variables[a.resource].writers += a.write;
        variables[a.resource].readLate |= !a.write && late;
        state.afterWrite |= a.write;
      }
      if (isUpdate(&op))
        updates.push_back({&op, state.stage++, std::move(accesses)});
      states[&op] = state;
    }
  }

  // Nothing but an order comes out.
  static bool isUpdate(Operation *op) {
    const Op *def = opOf(op);
    return def && train::IsUpdate(*def) && kindOf(op) == "CPU" &&
           llvm::all_of(op->getResults(), [](Value v) { return isControl(v) || v.use_empty(); });
  }

  // Why it stays a step of its own; null where it need not.
  const char *whyAlone(const Update &update) const {
    for (const Resources::Access &a : update.accesses) {
      if (variables[a.resource].writers != 1)
        return "another node writes its variable";
      // Of a step for many, the read might come behind an update that it did not
      // wait for.
      if (variables[a.resource].readLate)
        return "its variable is read behind a write";
    }
    const std::optional<int64_t> elements = elementsOf(update.op);
    if (!elements)
      return "its size is not known";
    if (*elements > kSmall)
      return "large enough for a step of its own";
    return nullptr;
  }

  // Of the operands that are values; nothing where a size is not known.
  static std::optional<int64_t> elementsOf(Operation *op) {
    int64_t all = 0;
    for (Value v : dataOperands(op)) {
      if (isResourceValue(v))
        continue;
      const SymShape shape = shapeOf(v.getType());
      if (!shape.has_rank || llvm::any_of(shape.dims, [](Dim d) { return !d.known(); }))
        return std::nullopt;
      int64_t elements = 1;
      for (Dim d : shape.dims)
        if (__builtin_mul_overflow(elements, d.value(), &elements))
          return INT64_MAX;
      if (__builtin_add_overflow(all, elements, &all))
        return INT64_MAX;
    }
    return all;
  }

  void note(Operation *op, const char *why) {
    if (explain)
      op->setAttr("fuse.why", StringAttr::get(op->getContext(), why));
  }

  static Attribute attributesOf(Operation *op) {
    NamedAttrList list;
    for (const AttrDef &a : opOf(op)->signature().attrs)
      if (Attribute value = op->getAttr(a.name))
        list.append(a.name, value);
    return list.getDictionary(op->getContext());
  }

  void replace(ArrayRef<Operation *> ops) {
    Operation *first = ops.front();
    MLIRContext *context = first->getContext();
    CompileState &state = stateOf(first);
    ListValue nodes, types;
    SmallVector<Value> operands;
    llvm::SetVector<Value> controls;
    SmallVector<Location> others;
    IntegerAttr order;
    bool waitedFor = false;
    for (Operation *op : ops) {
      nodes.s.push_back(nodeName(op->getLoc()).str());
      for (Value v : dataOperands(op)) {
        operands.push_back(v);
        types.type.push_back(dtypeOf(v.getType()));
      }
      controls.insert(controlOperands(op).begin(), controlOperands(op).end());
      if (op != first)
        others.push_back(op->getLoc());
      auto own = op->getAttrOfType<IntegerAttr>("graph.order");
      if (own && (!order || own.getInt() < order.getInt()))
        order = own;
      waitedFor |= static_cast<bool>(controlResult(op));
    }
    AttrMap attrs;
    attrs["Tin"] = std::move(types);
    attrs["nodes"] = std::move(nodes);
    attrs["update"] =
        FuncValue{opOf(first)->name(), std::make_shared<const AttrMap>(attrsOf(first))};
    OperationState fused(mergeLocations(first->getLoc(), others), dialectOf(context)->define(many));
    fused.addOperands(operands);
    fused.addOperands(controls.getArrayRef());
    for (const auto &[name, value] : attrs)
      fused.addAttribute(name, toAttribute(state, context, value, name));
    if (order)
      fused.addAttribute("graph.order", order);
    if (waitedFor)
      fused.addTypes(ControlType::get(context));
    Operation *made = mlir::OpBuilder(ops.back()).create(fused);
    if (severalDevices(first))
      setDevice(made, deviceOf(first));
    for (Operation *op : ops) {
      if (Value control = controlResult(op))
        control.replaceAllUsesWith(made->getResult(0));
      op->erase();
    }
  }

  Block &block;
  const Op &many;
  const bool explain;
  std::vector<Variable> variables; // by the numbers of Resources
  std::vector<Update> updates;     // in the order of the body
};

struct FuseUpdates : impl::FuseUpdatesBase<FuseUpdates> {
  void runOnOperation() override {
    const CompileState &state = stateOf(getOperation());
    const Op *many = state.registry->Find(train::kUpdateManyOp);
    if (!many || many->kernels().empty())
      return;
    forEachBody(getOperation(), [&](Block &block) {
      if (Fuser(block, *many, state.trace != nullptr).run())
        sortBlock(block);
    });
  }
};

} // namespace
} // namespace millrace::compiler
