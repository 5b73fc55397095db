// graphc: the compiler and runtime from the command line. One file a command, and
// one line for each in the table of main.cc.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "millrace/proto/value/status.h"

namespace millrace::graphc {

// What a program that calls graphc can rely on; --help and tools/README.md say it
// too.
enum ExitCode {
  kDone = 0,       // diff: the graphs are the same; ops: nothing is missing
  kNo = 1,         // the answer is no: the graphs differ, ops are missing
  kUsage = 2,      // the command line cannot be read
  kBadInput = 3,   // a file, a node or a value in it is not as it must be
  kNoRoom = 4,     // memory, disk or time ran out
  kOwnDefect = 5,  // an error that is Millrace's own
};
ExitCode ExitCodeOf(const Status& status);

// What a command came to.
struct Outcome {
  Status status;
  ExitCode code = kDone;  // where the status is OK
};

// Each adds its command to `app`, which leaves in `outcome` what came of it.
void AddBench(CLI::App& app, Outcome* outcome);
void AddCompile(CLI::App& app, Outcome* outcome);
void AddCompletion(CLI::App& app, Outcome* outcome);
void AddConvert(CLI::App& app, Outcome* outcome);
void AddDiff(CLI::App& app, Outcome* outcome);
void AddExplain(CLI::App& app, Outcome* outcome);
void AddFreeze(CLI::App& app, Outcome* outcome);
void AddOps(CLI::App& app, Outcome* outcome);
void AddOpt(CLI::App& app, Outcome* outcome);
void AddPrint(CLI::App& app, Outcome* outcome);
void AddRun(CLI::App& app, Outcome* outcome);

}  // namespace millrace::graphc
