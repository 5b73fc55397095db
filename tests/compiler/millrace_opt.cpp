// millrace-opt: reads IR of the graph dialect, runs passes or phases on it, and
// prints it. What the .mlir tests run.
//   millrace-opt [--passes=cse,dce] [--phases=infer,simplify] [--split] [--verify-diagnostics] file
// With --split, parts between lines "// -----" are modules of their own. With
// --verify-diagnostics, comments expected-error {{...}} are all that is checked.
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"
#include "millrace/compiler/dialect/Devices.h"
#include "millrace/compiler/dialect/Graph.h"
#include "millrace/compiler/passes/Steps.h"
#include "millrace/compiler/pipeline/Pipeline.h"
#include "millrace/ops/kernel/evaluate.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace millrace;
using namespace millrace::compiler;

namespace {

struct Options {
  SmallVector<llvm::StringRef> passes, phases;
  bool split = false, verifyDiagnostics = false;
  std::string file;
};

bool transform(ModuleOp module, const Options& options) {
  if (failed(readDims(module)) || failed(readDevices(module))) return false;
  for (llvm::StringRef name : options.passes) {
    std::unique_ptr<Pass> pass = createPass(name.str());
    if (!pass) {
      llvm::errs() << "no pass is named '" << name << "'\n";
      return false;
    }
    PassManager manager(module.getContext(), ModuleOp::getOperationName());
    manager.addPass(std::move(pass));
    if (failed(manager.run(module))) return false;
  }
  for (llvm::StringRef name : options.phases) {
    bool found = false;
    for (const Phase& phase : phases())
      if (name == phase.name) {
        found = true;
        if (!runPhase(module, phase, {}).ok()) return false;
      }
    if (!found) {
      llvm::errs() << "no phase is named '" << name << "'\n";
      return false;
    }
  }
  return true;
}

bool process(std::unique_ptr<llvm::MemoryBuffer> buffer, const Options& options) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<GraphDialect, func::FuncDialect>();
  context.printOpOnDiagnostic(false);
  dialectOf(&context)->defineAll(Registry::BuiltIn());
  dialectOf(&context)->state().evaluate = [](const millrace::Op& op, const AttrMap& attrs,
                                             std::span<const Tensor> inputs, std::vector<Tensor>* outputs) {
    return Evaluate(op, attrs, inputs, outputs);
  };
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  const auto run = [&](bool print) {
    OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, ParserConfig(&context));
    if (!module || !transform(*module, options)) return false;
    if (!print) return true;
    writeDims(*module);
    writeSteps(*module);
    module->print(llvm::outs(), OpPrintingFlags().enableDebugInfo(false));
    llvm::outs() << "\n";
    return true;
  };
  if (options.verifyDiagnostics) {
    SourceMgrDiagnosticVerifierHandler handler(sources, &context);
    (void)run(false);
    return succeeded(handler.verify());
  }
  SourceMgrDiagnosticHandler handler(sources, &context);
  return run(true);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    llvm::StringRef arg = argv[i];
    if (arg.consume_front("--passes=")) arg.split(options.passes, ',', -1, false);
    else if (arg.consume_front("--phases=")) arg.split(options.phases, ',', -1, false);
    else if (arg == "--split") options.split = true;
    else if (arg == "--verify-diagnostics") options.verifyDiagnostics = true;
    else options.file = arg.str();
  }
  auto input = llvm::MemoryBuffer::getFileOrSTDIN(options.file.empty() ? "-" : options.file, /*IsText=*/true);
  if (!input) {
    llvm::errs() << options.file << ": " << input.getError().message() << "\n";
    return 1;
  }
  SmallVector<llvm::StringRef> parts{(*input)->getBuffer()};
  if (options.split) {
    parts.clear();
    (*input)->getBuffer().split(parts, "// -----\n");
  }
  bool ok = true;
  for (llvm::StringRef part : parts) ok &= process(llvm::MemoryBuffer::getMemBufferCopy(part, options.file), options);
  return ok ? 0 : 1;
}
