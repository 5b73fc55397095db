// The door of compiler/api: a graph in, a plan or text out.
#include "millrace/compiler/api/compile.h"
#include "millrace/compiler/emit/Emit.h"
#include "millrace/compiler/passes/Steps.h"
#include "millrace/compiler/pipeline/Compilation.h"
#include "millrace/compiler/pipeline/Pipeline.h"
#include "millrace/proto/value/strings.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>

using namespace mlir;

namespace millrace {

using namespace compiler;

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

std::vector<std::string> OptionalPassNames() {
  std::vector<std::string> names;
  for (const Phase &phase : phases())
    for (const PassEntry &pass : phase.passes)
      if (!pass.required && std::find(names.begin(), names.end(), pass.name) == names.end())
        names.push_back(pass.name);
  return names;
}

Result<plan::Plan> Compile(const Graph &graph, const std::vector<SignatureSpec> &signatures,
                           const CompileOptions &options) {
  Compilation compilation;
  MR_RETURN_IF_ERROR(compilation.upTo(graph, signatures, options, "emit"));
  if (options.before_pass)
    options.before_pass("emit");
  MR_ASSIGN_OR_RETURN(plan::Plan plan, emitPlan(*compilation.module));
  // "all" that a plan can be made without: machine code too.
  const bool none = llvm::is_contained(options.disabled_passes, "all");
  if (!none)
    MR_RETURN_IF_ERROR(AttachCode(&plan, graph.registry(), options.code));
  return plan;
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
