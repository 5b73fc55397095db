// The door of compiler/api: a graph in, a plan or text out.
#include "millrace/compiler/api/compile.h"
#include "millrace/compiler/dialect/Graph.h"
#include "millrace/compiler/emit/Emit.h"
#include "millrace/compiler/import/Import.h"
#include "millrace/compiler/passes/Steps.h"
#include "millrace/compiler/pipeline/Pipeline.h"
#include "millrace/ops/kernel/evaluate.h"
#include "millrace/proto/value/strings.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>

using namespace mlir;

namespace millrace {
namespace {

using namespace compiler;

// One compile: a context of its own, so that compiles run side by side.
struct Compilation {
  MLIRContext context{MLIRContext::Threading::DISABLED};
  // Passes keep the first error; MLIR's own way to print it is not used.
  ScopedDiagnosticHandler quiet{&context, [this](Diagnostic &d) {
                                  if (diagnostic.empty())
                                    diagnostic = d.str();
                                  return success();
                                }};
  std::string diagnostic;
  OwningOpRef<ModuleOp> module;

  Status upTo(const Graph &graph, const std::vector<SignatureSpec> &signatures,
              const CompileOptions &options, std::string_view last) {
    context.loadDialect<GraphDialect, func::FuncDialect>();
    CompileState &state = dialectOf(&context)->state();
    state.cancelled = options.cancelled;
    state.evaluate = [](const Op &op, const AttrMap &attrs, std::span<const Tensor> inputs,
                        std::vector<Tensor> *outputs) {
      return Evaluate(op, attrs, inputs, outputs);
    };
    const std::vector<std::string> known = PassNames();
    for (const std::string &name : options.disabled_passes)
      if (std::none_of(known.begin(), known.end(),
                       [&](const std::string &k) { return k.ends_with("/" + name); }))
        return InvalidArgument(Cat("no pass is named '", name, "'"));
    MR_ASSIGN_OR_RETURN(module, importGraph(context, graph, signatures));
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
};

} // namespace

std::vector<std::string> PhaseNames() {
  std::vector<std::string> names;
  for (const Phase &phase : phases())
    names.push_back(phase.name);
  return names;
}

std::vector<std::string> PassNames() {
  std::vector<std::string> names;
  for (const Phase &phase : phases())
    for (const PassEntry &pass : phase.passes)
      names.push_back(Cat(phase.name, "/", pass.name));
  return names;
}

Result<plan::Plan> Compile(const Graph &graph, const std::vector<SignatureSpec> &signatures,
                           const CompileOptions &options) {
  Compilation compilation;
  MR_RETURN_IF_ERROR(compilation.upTo(graph, signatures, options, "emit"));
  return emitPlan(*compilation.module);
}

Result<std::string> CompileToText(const Graph &graph, const std::vector<SignatureSpec> &signatures,
                                  const std::string &phase, const CompileOptions &options) {
  const std::vector<std::string> names = PhaseNames();
  if (std::find(names.begin(), names.end(), phase) == names.end())
    return NotFound(Cat("no phase is named '", phase, "'; there are ", Join(names, " ")));
  Compilation compilation;
  MR_RETURN_IF_ERROR(compilation.upTo(graph, signatures, options, phase));
  writeDims(*compilation.module);
  writeSteps(*compilation.module);
  std::string text;
  llvm::raw_string_ostream out(text);
  OpPrintingFlags flags;
  flags.enableDebugInfo(/*enable=*/true, /*prettyForm=*/true)
      .elideLargeElementsAttrs(32)
      .elideLargeResourceString(256);
  compilation.module->print(out, flags);
  return text;
}

} // namespace millrace
