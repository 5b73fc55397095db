#include "millrace/compiler/pipeline/Compilation.h"
#include "millrace/compiler/dialect/Devices.h"
#include "millrace/compiler/import/Import.h"
#include "millrace/compiler/pipeline/Pipeline.h"
#include "millrace/ops/kernel/evaluate.h"
#include "millrace/proto/value/strings.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace millrace::compiler {
namespace {

struct Size {
  int64_t nodes = 0, clusters = 0;
  int64_t constantBytes = 0; // of large constants, each once
};

Size sizeOf(ModuleOp module) {
  Size size;
  llvm::DenseSet<Attribute> seen;
  forEachOp(module, [&](Operation *op) {
    ++size.nodes;
    const llvm::StringRef name = op->getName().getStringRef();
    if (name == "graph._Cluster")
      ++size.clusters;
    if (name != "graph.Const")
      return;
    auto value = op->getAttrOfType<DenseResourceElementsAttr>("value");
    if (value && seen.insert(value).second)
      size.constantBytes +=
          value.getNumElements() *
          static_cast<int64_t>(ElementSize(dtypeOfElement(value.getElementType())));
  });
  return size;
}

Status checkSize(ModuleOp module, const char *phase, int64_t imported, const Limits &limits) {
  const Size size = sizeOf(module);
  const auto check = [&](const char *name, int64_t limit, int64_t found) {
    return found <= limit
               ? OkStatus()
               : PastLimit(Cat("phase ", phase), name, limit, static_cast<uint64_t>(found));
  };
  MR_RETURN_IF_ERROR(check("compile_nodes", limits.compile_nodes, size.nodes));
  MR_RETURN_IF_ERROR(check("clusters", limits.clusters, size.clusters));
  return check("constant_bytes", limits.constant_bytes, size.constantBytes - imported);
}

} // namespace

Compilation::Compilation()
    : quiet(&context, [this](Diagnostic &d) {
        if (diagnostic.empty())
          diagnostic = d.str();
        return success();
      }) {}

Status Compilation::upTo(const Graph &graph, const std::vector<SignatureSpec> &signatures,
                         const CompileOptions &options, std::string_view last, bool trace) {
  context.loadDialect<GraphDialect, func::FuncDialect>();
  CompileState &state = dialectOf(&context)->state();
  state.cancelled = options.cancelled;
  if (!options.devices.empty())
    state.devices = options.devices;
  state.softPlacement = options.soft_placement;
  if (const plan::DeviceRef &host = state.devices[hostDevice(state)];
      host.kind != "CPU" || host.ordinal != 0)
    return InvalidArgument(Cat("devices: expected CPU:0 among them, found ", deviceTexts(state)));
  state.explainPlacement |= trace;
  state.evaluate = [&state](const Op &op, const AttrMap &attrs, std::span<const Tensor> inputs,
                            std::vector<Tensor> *outputs) {
    return Evaluate(op, attrs, inputs, outputs, HostAllocator(), state.cancelled);
  };
  MR_RETURN_IF_ERROR(checkDisabled(options.disabled_passes));
  MR_ASSIGN_OR_RETURN(module, importGraph(context, graph, signatures));
  const int64_t imported = sizeOf(*module).constantBytes; // the graph's own
  if (trace) {
    state.trace = std::make_unique<Trace>();
    state.trace->observe(*module, "");
  }
  for (const Phase &phase : phases()) {
    Status s = runPhase(*module, phase, options.disabled_passes, options.before_pass);
    if (s.ok())
      s = checkSize(*module, phase.name, imported, options.limits);
    if (!s.ok()) {
      if (s.code() != Code::kInternal || diagnostic.empty() || !s.node().empty())
        return s;
      return Internal(Cat(s.message(), ": ", diagnostic));
    }
    if (phase.name == last)
      break;
  }
  return OkStatus();
}
} // namespace millrace::compiler
