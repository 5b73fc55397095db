// Files as graphs, plans and arrays. Errors name the file and, where there is one,
// the remedy.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "millrace/devices/api/tensor.h"
#include "millrace/ops/graph/graph.h"
#include "millrace/proto/plan/plan.h"
#include "millrace/proto/value/status.h"
#include "millrace/proto/value/whole_file.h"
#include "millrace/tools/graphc/parse.h"

namespace millrace::graphc {

// Shared objects with ops of the user's own: --ops FILE, before or behind the
// command.
void AddOpsFiles(CLI::App& app);
// --limit NAME=NUMBER, likewise: as if MILLRACE_LIMITS said so (proto/value/limits.h).
void AddLimits(CLI::App& app);
// The built-in ops and those of the files; loaded at the first call.
Result<const Registry*> AllOps();

// True where the file starts as a plan does.
Result<bool> IsPlanFile(const std::string& path);
Result<plan::Plan> ReadPlan(const std::string& path);

// A GraphDef, in bytes or as text: whatever the file holds.
Result<GraphDef> ReadAnyGraphDef(const std::string& path);
// The same, imported with AllOps.
Result<std::shared_ptr<Graph>> ReadGraph(const std::string& path);

// The array that --feed or --value names.
Result<Tensor> ReadValue(const ValueSource& source);

// Where the array of a tensor lies in a folder: "layer/w:0" is "layer_w_0.npy".
std::string ArrayFileName(std::string tensor);

// As WriteWholeFile, so that the file may be one that is being read. "-" is stdout.
Status WriteFile(const std::string& path, const std::function<Status(const ByteSink&)>& content);
Status WriteFile(const std::string& path, std::string_view bytes);

// An error where `output` is the very file `input`: what is written there would take
// the place of what it is made of.
Status RefuseSameFile(const std::string& input, const std::string& output);

// Errors about what the file holds, with the file in front.
Status InFile(const std::string& path, const Status& status);
template <typename T>
Result<T> InFile(const std::string& path, Result<T> result) {
  return result.ok() ? std::move(result) : Result<T>(InFile(path, result.status()));
}

}  // namespace millrace::graphc
