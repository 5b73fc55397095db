#include <cstdio>
#include <map>
#include <set>

#include "millrace/ops/graph/function.h"
#include "millrace/ops/graph/load.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tools/graphc/graphc.h"

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

Status ListMissing(const std::string& path) {
  MR_ASSIGN_OR_RETURN(const Registry* const ops, AllOps());
  MR_ASSIGN_OR_RETURN(const GraphDef def, ReadGraphDef(path));
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
  return OkStatus();
}

}  // namespace

void AddOps(CLI::App& app, Status* status) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("ops", "list the supported ops or, with a graph, the missing ones");
  command->add_option("graph", *path, "serialized GraphDef");
  command->callback([path, status] { *status = path->empty() ? ListSupported() : ListMissing(*path); });
}

}  // namespace millrace::graphc
