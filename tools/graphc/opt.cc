#include <algorithm>
#include <cstdio>

#include "millrace/proto/value/strings.h"
#include "millrace/tools/graphc/graphc.h"
#include "millrace/tools/graphc/load.h"
#include "millrace/tools/graphc/names.h"
#include "millrace/tools/graphc/options.h"
#include "millrace/tools/graphc/progress.h"

namespace millrace::graphc {
namespace {

struct Arguments {
  std::string graph, phase;
  bool list = false;
  SignatureArguments signatures;
  CompileOptions options;
};

Status Opt(const Arguments& a) {
  if (a.list) {
    const std::vector<std::string> optional = OptionalPassNames();
    for (const std::string& pass : PassNames()) {
      const std::string name = pass.substr(pass.find('/') + 1);
      const bool required = std::find(optional.begin(), optional.end(), name) == optional.end();
      std::printf("%s%s\n", pass.c_str(), required ? " (required)" : "");
    }
    return OkStatus();
  }
  if (a.graph.empty()) return InvalidArgument("which graph? graphc opt GRAPH --fetch y");
  MR_ASSIGN_OR_RETURN(const auto signatures, a.signatures.Parse());
  Stage(Cat("import ", a.graph));
  MR_ASSIGN_OR_RETURN(const auto graph, ReadGraph(a.graph));
  MR_RETURN_IF_ERROR(CheckNames(a.graph, *graph, signatures));
  CompileOptions options = a.options;
  MR_ASSIGN_OR_RETURN(options.limits, LimitsFromEnvironment());
  options.before_pass = [](std::string_view pass) { Stage(Cat("compile: ", pass)); };
  MR_ASSIGN_OR_RETURN(const std::string text, InFile(a.graph, CompileToText(*graph, signatures, a.phase, options)));
  EndProgress();
  std::fwrite(text.data(), 1, text.size(), stdout);
  return OkStatus();
}

}  // namespace

void AddOpt(CLI::App& app, Outcome* outcome) {
  auto a = std::make_shared<Arguments>();
  a->phase = PhaseNames().back();
  CLI::App* command = app.add_subcommand("opt", "show what the compiler makes of a graph, phase by phase");
  AddFile(command, "graph", a->graph, "GraphDef, bytes or text");
  OneOf(command->add_option("--to", a->phase, "stop behind this phase"), PhaseNames());
  command->add_flag("--list", a->list, "list the phases and their passes");
  a->signatures.AddTo(command);
  AddPasses(command, &a->options.disabled_passes);
  command->footer(
      "Examples:\n"
      "  graphc opt --list\n"
      "  graphc opt digits.pb --to=simplify --feed images --fetch digit\n");
  command->callback([a, outcome] { outcome->status = Opt(*a); });
}

}  // namespace millrace::graphc
