#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "millrace/proto/value/strings.h"
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
    "4 memory, disk or time ran out; 5 a defect of graphc itself.\n";

// A file that is opened must not come to stand where a host has closed stdout: what is
// printed would go into it.
void OpenStandardFiles() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) (void)open("/dev/null", O_RDONLY);
  }
}

// `code`, unless what was printed did not arrive.
int Finish(ExitCode code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  // Why is long forgotten: it fails once more for that.
  std::clearerr(stdout);
  errno = 0;
  std::fputc('\n', stdout);
  std::fflush(stdout);
  const int why = errno;
  std::fprintf(stderr, "graphc: cannot write to stdout: %s\n", why == 0 ? "a part is lost" : std::strerror(why));
  return why == ENOSPC || why == EDQUOT || why == EFBIG ? kNoRoom : kBadInput;
}

// What could not be read of the command line, and who says more about it.
std::string UsageMessage(const CLI::App* app, const CLI::Error& error) {
  const std::vector<CLI::App*> commands = app->get_subcommands();
  const std::string name = commands.empty() ? "graphc" : "graphc " + commands[0]->get_name();
  const std::vector<std::string> unknown = app->remaining();
  std::string what = error.what();
  if (commands.empty()) {
    what = "a command is missing";
    if (!unknown.empty()) {
      what = Cat("there is no ", unknown[0].starts_with('-') ? "option" : "command", " '", unknown[0], "'");
    }
  }
  return Cat(name, ": ", what, "; ", name, " --help ", commands.empty() ? "lists them\n" : "has examples\n");
}

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
  OpenStandardFiles();
  CLI::App app("graphc: compile, run and look into dataflow graphs.", "graphc");
  app.require_subcommand(1);
  app.set_version_flag("--version", "graphc " MILLRACE_VERSION, "Print the version and exit");
  app.failure_message(UsageMessage);
  app.footer(kFooter);
  AddOpsFiles(app);
  AddLimits(app);
  Outcome outcome;
  for (const auto add : kCommands) add(app, &outcome);
  for (CLI::App* const command : app.get_subcommands({})) {
    command->footer(command->get_footer() +
                    "\nEvery command also takes --ops FILE and --limit NAME=NUMBER: graphc --help\n");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    EndProgress();
    return app.exit(error) == 0 ? Finish(kDone) : kUsage;
  }
  EndProgress();
  if (outcome.status.ok()) return Finish(outcome.code);
  std::fprintf(stderr, "graphc: %s\n", outcome.status.ToString().c_str());
  return ExitCodeOf(outcome.status);
}
