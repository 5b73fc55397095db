#include "millrace/compiler/pipeline/Compilation.h"
#include "millrace/compiler/dialect/Devices.h"
#include "millrace/compiler/import/Import.h"
#include "millrace/compiler/pipeline/Pipeline.h"
#include "millrace/ops/kernel/evaluate.h"
#include "millrace/proto/value/strings.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace millrace::compiler {

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
    return InvalidArgument(
        Cat("devices: expected CPU:0 among them, found ", deviceTexts(state)));
  state.explainPlacement |= trace;
  state.evaluate = [](const Op &op, const AttrMap &attrs, std::span<const Tensor> inputs,
                      std::vector<Tensor> *outputs) {
    return Evaluate(op, attrs, inputs, outputs);
  };
  MR_RETURN_IF_ERROR(checkDisabled(options.disabled_passes));
  MR_ASSIGN_OR_RETURN(module, importGraph(context, graph, signatures));
  if (trace) {
    state.trace = std::make_unique<Trace>();
    state.trace->observe(*module, "");
  }
  for (const Phase &phase : phases()) {
    Status s = runPhase(*module, phase, options.disabled_passes);
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
