#include <cstdio>
#include <filesystem>
#include <system_error>

#include "millrace/proto/plan/writer.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tools/graphc/graphc.h"
#include "millrace/tools/graphc/load.h"
#include "millrace/tools/graphc/names.h"
#include "millrace/tools/graphc/options.h"
#include "millrace/tools/graphc/progress.h"

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
  MR_ASSIGN_OR_RETURN(options.limits, LimitsFromEnvironment());
  for (const std::string& target : a.targets) {
    if (target == "none") continue;
    options.code.codegen = Codegen::kOn;
    if (target != "host") options.code.targets.push_back(target);
  }
  options.before_pass = [](std::string_view pass) { Stage(Cat("compile: ", pass)); };
  MR_ASSIGN_OR_RETURN(const auto signatures, a.signatures.Parse());
  MR_RETURN_IF_ERROR(RefuseSameFile(a.graph, a.output));
  // The compiler makes do without it; who asks for it wants to know.
  if (const std::string& cache = options.code.cache_dir; !cache.empty()) {
    std::error_code why;
    std::filesystem::create_directories(cache, why);
    if (!why && !std::filesystem::is_directory(cache, why)) why = std::make_error_code(std::errc::not_a_directory);
    if (why) return FailedPrecondition(Cat("--code-cache ", cache, ": cannot be made: ", why.message()));
  }
  Stage(Cat("import ", a.graph));
  MR_ASSIGN_OR_RETURN(const auto graph, ReadGraph(a.graph));
  MR_RETURN_IF_ERROR(CheckNames(a.graph, *graph, signatures));
  MR_ASSIGN_OR_RETURN(const plan::Plan plan, InFile(a.graph, millrace::Compile(*graph, signatures, options)));
  Stage(Cat("write ", a.output));
  MR_RETURN_IF_ERROR(WriteFile(a.output, [&](const ByteSink& sink) { return plan::Write(plan, sink); }));
  EndProgress();
  if (a.output == "-") return OkStatus();
  size_t steps = 0;
  for (const plan::Block& block : plan.blocks) steps += block.steps.size();
  std::printf("%s: %zu nodes to %zu steps, %zu signatures, %zu pieces of code\n", a.output.c_str(),
              graph->nodes().size(), steps, plan.signatures.size(), plan.code.size());
  return OkStatus();
}

}  // namespace

void AddCompile(CLI::App& app, Outcome* outcome) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("compile", "compile a GraphDef to a plan that needs no compiler to run");
  AddFile(command, "graph", a->graph, "GraphDef, bytes or text")->required();
  AddFile(command, "-o,--output", a->output, "the plan to write; - for stdout")->required();
  a->signatures.AddTo(command);
  AddPasses(command, &a->options.disabled_passes);
  OneOf(AddList(command, "--cpu", a->targets,
                "compile clusters for a CPU (host: the best of this one); several with commas. The plan runs "
                "on any CPU, with the same bits")
            ->delimiter(','),
        {"none", "host", "avx2", "avx512"});
  command->add_option("--code-cache", a->options.code.cache_dir, "a folder where compiled code is kept");
  command->footer(
      "Examples:\n"
      "  graphc compile digits.pb -o digits.plan --feed images --fetch digit,probabilities\n"
      "  graphc compile fit.pb -o fit.plan --signature 'init: target=init' \\\n"
      "      --signature 'train: feed=x,y fetch=loss target=train'\n"
      "  graphc compile digits.pb -o digits.plan --feed images --fetch digit --cpu avx2,avx512\n");
  command->callback([a, outcome] { outcome->status = Compile(*a); });
}

}  // namespace millrace::graphc
