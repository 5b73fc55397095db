#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Steps.h"
#include "millrace/proto/value/strings.h"

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

struct Place : impl::PlaceBase<Place> {
  void runOnOperation() override {
    std::map<std::string, std::string> missing; // by op: the reason, with a node
    Operation *first = nullptr;
    forEachOp(getOperation(), [&](Operation *op) {
      const Op *def = opOf(op);
      if (!def || isTransparent(op))
        return;
      if (def->FindKernel("CPU", attrsOf(op)))
        return;
      if (!first)
        first = op;
      const std::string node(nodeName(op->getLoc()));
      missing.try_emplace(def->name(), def->kernels().empty()
                                           ? Cat(def->name(), " (node '", node, "')")
                                           : Cat(def->name(), " for ", typesOf(*def, attrsOf(op)),
                                                 " (node '", node, "')"));
    });
    if (missing.empty())
      return;
    std::vector<std::string> parts;
    parts.reserve(missing.size());
    for (const auto &[op, reason] : missing)
      parts.push_back(reason);
    (void)fail(first, Unimplemented(Cat("no kernel on CPU for ", Join(parts, ", "))));
    signalPassFailure();
  }
};

} // namespace
} // namespace millrace::compiler
