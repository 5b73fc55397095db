#include "millrace/proto/plan/print.h"

#include <cstdio>

#include "millrace/tools/graphc/graphc.h"
#include "millrace/tools/graphc/load.h"
#include "millrace/tools/graphc/options.h"
#include "millrace/tools/graphc/show.h"

namespace millrace::graphc {
namespace {

Status Print(const std::string& path) {
  MR_ASSIGN_OR_RETURN(const bool is_plan, IsPlanFile(path));
  std::string text;
  if (is_plan) {
    MR_ASSIGN_OR_RETURN(const plan::Plan plan, ReadPlan(path));
    text = plan::Print(plan);
  } else {
    MR_ASSIGN_OR_RETURN(const GraphDef def, ReadAnyGraphDef(path));
    text = Show(def);
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return OkStatus();
}

}  // namespace

void AddPrint(CLI::App& app, Outcome* outcome) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("print", "show a GraphDef or a plan as text");
  AddFile(command, "file", *path, "GraphDef (bytes or text), or plan")->required();
  command->footer("Examples:\n  graphc print digits.pb\n  graphc print digits.plan\n");
  command->callback([path, outcome] { outcome->status = Print(*path); });
}

}  // namespace millrace::graphc
