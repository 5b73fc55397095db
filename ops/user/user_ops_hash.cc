#include "millrace/ops/user/user_ops_hash.h"

#include <algorithm>

#include "millrace/ops/cluster/program.h"
#include "millrace/proto/codec/op_def.h"
#include "millrace/proto/plan/digest.h"

namespace millrace {

std::set<std::string> UserOps(const plan::Plan& plan) {
  std::set<std::string> ops;
  const auto add = [&](const std::string& op) {
    if (!op.empty() && Registry::BuiltIn().Find(op) == nullptr) ops.insert(op);
  };
  for (const plan::Block& block : plan.blocks) {
    for (const plan::Step& step : block.steps) {
      add(step.op);
      if (step.op != cluster::kClusterOp) continue;
      if (auto inside = step.attrs.find("ops"); inside != step.attrs.end()) {
        if (const auto* list = inside->second.get<ListValue>()) std::for_each(list->s.begin(), list->s.end(), add);
      }
    }
  }
  return ops;
}

uint64_t UserOpsHash(const std::set<std::string>& ops, const Registry& registry) {
  std::string text;
  for (const std::string& name : ops) {
    OpDefValue signature;
    if (const Op* op = registry.Find(name); op != nullptr) signature = op->signature();
    signature.name = name;
    // Words are for people and may change.
    signature.summary.clear();
    signature.description.clear();
    text += SerializeOpDef(signature);
    text += '\0';
  }
  if (text.empty()) return 0;
  const uint64_t digest = plan::Digest(text);
  return digest == 0 ? 1 : digest;
}

}  // namespace millrace
