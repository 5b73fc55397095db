#include <cstdio>

#include "millrace/ops/graph/load.h"
#include "millrace/proto/plan/writer.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tools/graphc/graphc.h"

namespace millrace::graphc {
namespace {

struct Arguments {
  std::string graph, output;
  SignatureArguments signatures;
  CompileOptions options;
  std::vector<std::string> targets;
};

Status Compile(const Arguments& a) {
  CompileOptions options = a.options;
  for (const std::string& target : a.targets) {
    if (target == "none") continue;
    options.code.codegen = Codegen::kOn;
    if (target != "host") options.code.targets.push_back(target);
  }
  MR_ASSIGN_OR_RETURN(const Registry* const ops, AllOps());
  MR_ASSIGN_OR_RETURN(const auto graph, LoadGraph(a.graph, {}, *ops));
  MR_ASSIGN_OR_RETURN(const auto signatures, a.signatures.Parse());
  MR_ASSIGN_OR_RETURN(const plan::Plan plan, millrace::Compile(*graph, signatures, options));
  MR_RETURN_IF_ERROR(plan::WriteFile(plan, a.output));
  size_t steps = 0;
  for (const plan::Block& block : plan.blocks) steps += block.steps.size();
  std::printf("%s: %zu nodes to %zu steps, %zu signatures, %zu pieces of code\n", a.output.c_str(),
              graph->nodes().size(), steps, plan.signatures.size(), plan.code.size());
  return OkStatus();
}

}  // namespace

void AddCompile(CLI::App& app, Status* status) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("compile", "compile a GraphDef to a plan that needs no compiler to run");
  command->add_option("graph", a->graph, "serialized GraphDef")->required();
  command->add_option("-o,--output", a->output, "the plan to write")->required();
  a->signatures.AddTo(command);
  command->add_option("--disable-pass", a->options.disabled_passes,
                      "leave out a pass (see: graphc opt --list); 'all' that can be");
  command
      ->add_option("--cpu", a->targets,
                   "compile clusters for a CPU: avx2, avx512, host (the best of this one); several with commas. The "
                   "plan runs on any CPU, with the same bits")
      ->delimiter(',')
      ->check(CLI::IsMember({"none", "host", "avx2", "avx512"}));
  command->add_option("--code-cache", a->options.code.cache_dir, "a folder where compiled code is kept");
  command->footer(
      "graphc compile fit.pb -o fit.plan --signature 'init: target=init' \\\n"
      "    --signature 'train: feed=x,y fetch=loss target=train'");
  command->callback([a, status] { *status = Compile(*a); });
}

}  // namespace millrace::graphc
