// graphc: the compiler and runtime from the command line. One file a command.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "millrace/compiler/api/compile.h"
#include "millrace/ops/graph/graph.h"
#include "millrace/proto/value/status.h"

namespace millrace::graphc {

// Each adds its command to `app`. The command stores what it returned in
// `status` and the program ends accordingly.
void AddCompile(CLI::App& app, Status* status);
void AddRun(CLI::App& app, Status* status);
void AddBench(CLI::App& app, Status* status);
void AddExplain(CLI::App& app, Status* status);
void AddOpt(CLI::App& app, Status* status);
void AddPrint(CLI::App& app, Status* status);
void AddOps(CLI::App& app, Status* status);

// --- what the commands share (common.cc) ---

// Shared objects with ops of the user's own: --ops FILE, before or behind the
// command.
void AddOpsFiles(CLI::App& app);
// The built-in ops and those of the files; loaded at the first call.
Result<const Registry*> AllOps();

// True where the file starts as a plan does.
Result<bool> IsPlanFile(const std::string& path);

// "x" is "x:0"; other names stay.
std::string TensorName(const std::string& name);
std::vector<std::string> TensorNames(const std::vector<std::string>& names);

// "x.0=8": open dimensions and their numbers.
Result<std::map<std::string, int64_t>> ParseDims(const std::vector<std::string>& dims);

// --codegen: whether clusters are compiled, as a Session does it unless told
// otherwise.
void AddCodegen(CLI::App* command, CompileOptions* options);

// Entry points of a graph as the command line gives them: either --feed,
// --fetch and --target for one, or --signature for each:
//   --signature 'train: feed=x,y fetch=loss target=train'
struct SignatureArguments {
  std::vector<std::string> feeds, fetches, targets, signatures;
  void AddTo(CLI::App* command);
  Result<std::vector<SignatureSpec>> Parse() const;
};

}  // namespace millrace::graphc
