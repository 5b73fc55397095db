#include <cstdio>

#include "millrace/tools/graphc/graphc.h"
#include "millrace/tools/graphc/load.h"
#include "millrace/tools/graphc/progress.h"

namespace millrace::graphc {
namespace {

// Every command; --help, the shells' completion and the parser read this.
constexpr void (*kCommands[])(CLI::App&, Outcome*) = {
    AddCompile, AddRun, AddBench, AddExplain, AddOpt, AddPrint, AddConvert, AddFreeze, AddDiff, AddOps, AddCompletion,
};

constexpr const char* kFooter =
    "GRAPH is a GraphDef, in bytes or as text. A first look at one:\n"
    "  graphc print digits.pb                                  its nodes\n"
    "  graphc run digits.pb --feed images=images.npy --fetch digit\n"
    "  graphc compile digits.pb -o digits.plan --feed images --fetch digit\n"
    "  graphc bench digits.plan --batch 64 --profile\n"
    "  graphc COMMAND --help                                   ends with examples\n"
    "\n"
    "Exit codes: 0 done; 1 the answer is no (diff: they differ, ops: some are missing);\n"
    "2 the command line cannot be read; 3 a file, a node or a value is not as it must be;\n"
    "4 memory or time ran out; 5 a defect of graphc itself.\n";

}  // namespace

ExitCode ExitCodeOf(const Status& status) {
  switch (status.code()) {
    case Code::kOk:
      return kDone;
    case Code::kResourceExhausted:
    case Code::kDeadlineExceeded:
    case Code::kCancelled:
    case Code::kAborted:
    case Code::kUnavailable:
      return kNoRoom;
    case Code::kInternal:
    case Code::kUnknown:
      return kOwnDefect;
    default:
      return kBadInput;
  }
}

}  // namespace millrace::graphc

int main(int argc, char** argv) {
  using namespace millrace::graphc;  // NOLINT
  CLI::App app("graphc: compile, run and look into dataflow graphs.", "graphc");
  app.require_subcommand(1);
  app.footer(kFooter);
  AddOpsFiles(app);
  AddLimits(app);
  Outcome outcome;
  for (const auto add : kCommands) add(app, &outcome);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    EndProgress();
    const std::vector<std::string> unknown = app.remaining();
    if (app.get_subcommands().empty() && !unknown.empty()) {
      std::fprintf(stderr, "graphc: there is no command '%s'; graphc --help lists them\n", unknown[0].c_str());
      return kUsage;
    }
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  EndProgress();
  if (outcome.status.ok()) return outcome.code;
  std::fprintf(stderr, "graphc: %s\n", outcome.status.ToString().c_str());
  return ExitCodeOf(outcome.status);
}
