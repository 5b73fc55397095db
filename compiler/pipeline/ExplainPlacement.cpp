#include "millrace/compiler/api/placement.h"
#include "millrace/compiler/dialect/Devices.h"
#include "millrace/compiler/pipeline/Compilation.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace millrace {

using namespace compiler;

Result<std::vector<NodePlacement>> ExplainPlacement(const Graph &graph,
                                                    const std::vector<SignatureSpec> &signatures,
                                                    const CompileOptions &options) {
  Compilation compilation;
  compilation.context.loadDialect<GraphDialect>();
  CompileState &state = dialectOf(&compilation.context)->state();
  state.explainPlacement = true;
  MR_RETURN_IF_ERROR(compilation.upTo(graph, signatures, options, "place"));
  std::vector<NodePlacement> out;
  for (auto func : compilation.module->getOps<func::FuncOp>())
    for (Operation &op : func.getBody().front()) {
      auto why = op.getAttrOfType<StringAttr>("place.why");
      if (!why)
        continue;
      NodePlacement &p = out.emplace_back();
      p.signature = func.getName().str();
      p.node = nodeName(op.getLoc()).str();
      p.op = opOf(&op) ? opOf(&op)->name() : isStructural(&op, "read") ? "Read" : "Dims";
      if (op.hasAttr("place.device"))
        p.device = deviceText(state, deviceOf(&op));
      p.asked = ownAsk(&op).ToString();
      p.why = why.getValue().str();
    }
  return out;
}

} // namespace millrace
