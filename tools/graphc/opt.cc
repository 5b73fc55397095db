#include <algorithm>
#include <cstdio>

#include "millrace/ops/graph/load.h"
#include "millrace/tools/graphc/graphc.h"

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
  MR_ASSIGN_OR_RETURN(const Registry* const ops, AllOps());
  MR_ASSIGN_OR_RETURN(const auto graph, LoadGraph(a.graph, {}, *ops));
  MR_ASSIGN_OR_RETURN(const auto signatures, a.signatures.Parse());
  MR_ASSIGN_OR_RETURN(const std::string text, CompileToText(*graph, signatures, a.phase, a.options));
  std::fwrite(text.data(), 1, text.size(), stdout);
  return OkStatus();
}

}  // namespace

void AddOpt(CLI::App& app, Status* status) {
  auto a = std::make_shared<Arguments>();
  a->phase = PhaseNames().back();
  CLI::App* command = app.add_subcommand("opt", "show what the compiler makes of a graph, phase by phase");
  command->add_option("graph", a->graph, "serialized GraphDef");
  command->add_option("--to", a->phase, "stop behind this phase")
      ->capture_default_str()
      ->check(CLI::IsMember(PhaseNames()));
  command->add_flag("--list", a->list, "list the phases and their passes");
  a->signatures.AddTo(command);
  command->add_option("--disable-pass", a->options.disabled_passes,
                      "leave out a pass (see: graphc opt --list); 'all' that can be");
  command->footer("graphc opt digits.pb --to=simplify --feed images --fetch digit");
  command->callback([a, status] { *status = Opt(*a); });
}

}  // namespace millrace::graphc
