// Which device each operation runs on. What must be together: PlaceGroups.h.
#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/PlaceGroups.h"
#include "millrace/compiler/passes/Steps.h"
#include "millrace/proto/value/strings.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_PLACE
#include "millrace_passes/Passes.h.inc"

namespace {

std::string typesOf(const Op &def, const AttrMap &attrs) {
  std::string out;
  for (const AttrDef &a : def.signature().attrs)
    if (auto it = attrs.find(a.name); it != attrs.end() && it->second.get<DType>())
      out += Cat(out.empty() ? "" : ", ", a.name, "=", DTypeName(*it->second.get<DType>()));
  return out;
}

// "MatMul for T=int8", or "MatMul" where types are not what is missing.
std::string opText(Operation *op) {
  const Op &def = *opOf(op);
  const std::string types = def.kernels().empty() ? "" : typesOf(def, attrsOf(op));
  return types.empty() ? def.name() : Cat(def.name(), " for ", types);
}

std::string nodeText(Operation *op) {
  return Cat("'", std::string_view(nodeName(op->getLoc())), "'");
}

// Resources and what only hands on values need no kernel.
bool runsOn(Operation *op, llvm::StringRef kind) {
  const Op *def = opOf(op);
  return !def || isTransparent(op) || def->FindKernel(std::string_view(kind), attrsOf(op));
}

struct Place : impl::PlaceBase<Place> {
  void runOnOperation() override {
    state = &stateOf(getOperation());
    const bool ok = severalDevices(getOperation()) || state->explainPlacement
                        ? succeeded(assignAll())
                        : succeeded(checkOnlyDevice());
    if (!ok)
      signalPassFailure();
  }

  // ---- one device: everything is there, or is an error ----

  LogicalResult checkOnlyDevice() {
    const std::string &kind = state->devices[0].kind;
    forEachOp(getOperation(), [&](Operation *op) {
      if (opOf(op) && !isTransparent(op) && !runsOn(op, kind))
        addMissing(op);
    });
    return reportMissing();
  }

  // Operations without a kernel anywhere: all ops at once, with a node of each.
  void addMissing(Operation *op) {
    if (!firstMissing)
      firstMissing = op;
    missing.try_emplace(opOf(op)->name(), Cat(opText(op), " (node ", nodeText(op), ")"));
  }
  LogicalResult reportMissing() {
    if (missing.empty())
      return success();
    std::vector<std::string> parts, kinds;
    for (const auto &[op, reason] : missing)
      parts.push_back(reason);
    for (const plan::DeviceRef &device : state->devices)
      if (!llvm::is_contained(kinds, device.kind))
        kinds.push_back(device.kind);
    return fail(firstMissing, Unimplemented(Cat("no kernel on ", Join(kinds, " or "), " for ",
                                                Join(parts, ", "))));
  }

  // ---- a choice of devices ----

  LogicalResult assignAll() {
    FailureOr<std::vector<PlaceGroup>> groups = placeGroups(getOperation());
    if (failed(groups))
      return failure();
    for (const PlaceGroup &group : *groups)
      for (Operation *op : group.members)
        if (llvm::none_of(state->devices,
                          [&](const plan::DeviceRef &d) { return runsOn(op, d.kind); }))
          addMissing(op);
    if (failed(reportMissing()))
      return failure();
    for (const PlaceGroup &group : *groups)
      if (failed(assign(group)))
        return failure();
    if (state->explainPlacement)
      forEachOp(getOperation(), [&](Operation *op) {
        if (constantValue(op) || isStructural(op, "dims"))
          note(op, "a constant: wherever it is used");
      });
    return success();
  }

  LogicalResult assign(const PlaceGroup &group) {
    SmallVector<unsigned, 4> able, wanted;
    for (unsigned d = 0; d < state->devices.size(); ++d) {
      const plan::DeviceRef &device = state->devices[d];
      if (llvm::all_of(group.members, [&](Operation *op) { return runsOn(op, device.kind); }))
        able.push_back(d);
      if (group.asked.Matches(device.kind, static_cast<int32_t>(device.ordinal)))
        wanted.push_back(d);
    }
    Operation *first = group.askedBy ? group.askedBy : group.members.front();
    if (able.empty())
      return fail(first, Unimplemented(Cat("no device has a kernel for all that must be together: ",
                                           limits(group), together(group))));
    auto best = llvm::find_if(able, [&](unsigned d) { return llvm::is_contained(wanted, d); });
    const bool fell = best == able.end();
    const unsigned chosen = fell ? able.front() : *best;
    if (fell && !state->softPlacement)
      return fail(first, InvalidArgument(Cat("asks for device '", group.asked.ToString(), "', ",
                                             obstacle(group, wanted), "; the devices are ",
                                             deviceTexts(*state), ", and soft placement is off")));
    for (Operation *op : group.members) {
      setDevice(op, chosen);
      if (state->explainPlacement)
        note(op, reason(op, group, chosen, fell ? obstacle(group, wanted) : ""));
    }
    return success();
  }

  // Why nothing that was asked for will do.
  std::string obstacle(const PlaceGroup &group, ArrayRef<unsigned> wanted) {
    if (wanted.empty())
      return "which is not there";
    return Cat("which has no kernel for ", limits(group, wanted.front()));
  }
  // The members that a device has no kernel for, each op once.
  std::string limits(const PlaceGroup &group, unsigned device) {
    std::vector<std::string> parts;
    for (Operation *op : group.members)
      if (!runsOn(op, state->devices[device].kind))
        if (std::string text = opText(op); !llvm::is_contained(parts, text))
          parts.push_back(std::move(text));
    return Join(parts, ", ");
  }
  std::string limits(const PlaceGroup &group) {
    std::vector<std::string> parts;
    for (unsigned d = 0; d < state->devices.size(); ++d)
      parts.push_back(Cat(deviceText(*state, d), " has none for ", limits(group, d)));
    return Join(parts, "; ");
  }
  std::string together(const PlaceGroup &group) {
    return group.resource ? Cat(" (they touch the variable ", nodeText(group.resource), ")")
                          : std::string(" (the graph colocates them)");
  }

  // ---- explanations ----

  std::string reason(Operation *op, const PlaceGroup &group, unsigned chosen,
                     const std::string &obstacle) {
    const plan::DeviceRef &device = state->devices[chosen];
    const DeviceName own = ownAsk(op);
    const std::string soft = obstacle.empty() ? ""
                                              : Cat(", ", obstacle, ": soft placement took ",
                                                    deviceText(*state, chosen));
    if (own.open())
      return Cat(tie(op, group), soft);
    if (own.Matches(device.kind, static_cast<int32_t>(device.ordinal)))
      return Cat("asked for '", own.ToString(), "'");
    if (own.Contradicts(group.asked) && group.askedBy != op)
      return Cat("asked for '", own.ToString(), "', but ", tie(op, group), soft);
    return Cat("asked for '", own.ToString(), "'", soft);
  }
  // Why an operation that does not decide is where it is: what it belongs to.
  std::string tie(Operation *op, const PlaceGroup &group) {
    const auto asked = [](const DeviceName &name) {
      return Cat(" asked for '", name.ToString(), "'");
    };
    if (group.resource && group.resource != op && llvm::any_of(dataOperands(op), isResourceValue)) {
      const std::string there = Cat("variable ", nodeText(group.resource), " is there");
      if (!group.askedBy)
        return there;
      if (group.askedBy == group.resource && ownAsk(group.resource).open())
        return Cat(there, ": a node that touches it", asked(group.asked));
      return group.askedBy == group.resource
                 ? Cat(there, ": it", asked(group.asked))
                 : Cat(there, ", where ", nodeText(group.askedBy), asked(group.asked));
    }
    const DeviceName wanted = askedFor(op);
    if (!wanted.open() && ownAsk(op).open()) {
      if (auto others = op->getAttrOfType<ArrayAttr>("graph.colocate"))
        return Cat("colocated with '",
                   std::string_view(llvm::cast<StringAttr>(others[0]).getValue()), "', which",
                   asked(wanted));
      return Cat("a node that touches it", asked(wanted));
    }
    if (group.askedBy && group.askedBy != op)
      return Cat("colocated with ", nodeText(group.askedBy), ", which", asked(group.asked));
    return state->devices.size() == 1 || runsOn(op, state->devices[0].kind)
               ? std::string("default: the first device")
               : Cat("default: the first device with a kernel for ", opText(op));
  }
  void note(Operation *op, const std::string &why) {
    op->setAttr("place.why", StringAttr::get(&getContext(), why));
  }

  CompileState *state = nullptr;
  std::map<std::string, std::string> missing; // by op: with types and a node
  Operation *firstMissing = nullptr;
};

} // namespace
} // namespace millrace::compiler
