#include <cstdio>
#include <map>
#include <set>

#include "millrace/ops/graph/function.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tools/graphc/graphc.h"
#include "millrace/tools/graphc/load.h"
#include "millrace/tools/graphc/options.h"

namespace millrace::graphc {
namespace {

Status ListSupported() {
  MR_ASSIGN_OR_RETURN(const Registry* const ops, AllOps());
  for (const Op* op : ops->ops()) {
    std::set<std::string> devices;
    for (const KernelDef& kernel : op->kernels()) devices.insert(kernel.device);
    std::printf("%-40s %s\n", op->name().c_str(), devices.empty() ? "definition" : Join(devices, " ").c_str());
  }
  return OkStatus();
}

// True where ops are missing.
Result<bool> ListMissing(const std::string& path) {
  MR_ASSIGN_OR_RETURN(const Registry* const ops, AllOps());
  MR_ASSIGN_OR_RETURN(const GraphDef def, ReadAnyGraphDef(path));
  std::set<std::string> functions;
  for (const FunctionDef& function : def.library.functions) functions.insert(function.signature.name);
  std::map<std::string, std::pair<int, std::string>> missing, bare;  // op -> count, first node
  auto visit = [&](const std::vector<NodeDef>& nodes) {
    for (const NodeDef& node : nodes) {
      if (functions.contains(node.op) || IsCallOp(node.op)) continue;
      const Op* op = ops->Find(node.op);
      if (op != nullptr && !op->kernels().empty()) continue;
      auto& [count, first] = (op == nullptr ? missing : bare)[node.op];
      if (count++ == 0) first = node.name;
    }
  };
  visit(def.nodes);
  for (const FunctionDef& function : def.library.functions) visit(function.nodes);
  auto print = [](const auto& ops, const char* what) {
    for (const auto& [op, where] : ops) {
      std::printf("%-30s %s, %d nodes, the first is '%s'\n", op.c_str(), what, where.first, where.second.c_str());
    }
  };
  print(missing, "missing");
  print(bare, "defined without a kernel");
  if (missing.empty()) std::printf("all ops are known\n");
  return !missing.empty();
}

}  // namespace

void AddOps(CLI::App& app, Outcome* outcome) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("ops", "list the supported ops or, with a graph, the missing ones");
  AddFile(command, "graph", *path, "GraphDef, bytes or text");
  command->footer(
      "Examples:\n"
      "  graphc ops\n"
      "  graphc ops digits.pb                what would be missing? exit code 1 where something is\n");
  command->callback([path, outcome] {
    if (path->empty()) {
      outcome->status = ListSupported();
      return;
    }
    const Result<bool> missing = ListMissing(*path);
    outcome->status = missing.status();
    if (missing.ok() && *missing) outcome->code = kNo;
  });
}

}  // namespace millrace::graphc
