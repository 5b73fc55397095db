#include <cstdio>

#include "millrace/tools/graphc/graphc.h"

// Exit status: 0 done, 1 an error in the graph, the plan or the run, and CLI11's
// own (above 100) for a command line that cannot be read.
int main(int argc, char** argv) {
  CLI::App app("graphc: compile, run and look into dataflow graphs.");
  app.require_subcommand(1);
  millrace::graphc::AddOpsFiles(app);
  millrace::Status status;
  millrace::graphc::AddCompile(app, &status);
  millrace::graphc::AddRun(app, &status);
  millrace::graphc::AddBench(app, &status);
  millrace::graphc::AddExplain(app, &status);
  millrace::graphc::AddOpt(app, &status);
  millrace::graphc::AddPrint(app, &status);
  millrace::graphc::AddOps(app, &status);
  CLI11_PARSE(app, argc, argv);
  if (!status.ok()) {
    std::fprintf(stderr, "graphc: %s\n", status.ToString().c_str());
    return 1;
  }
  return 0;
}
