#include "millrace/ops/user/user_ops_hash.h"

#include "millrace/proto/codec/op_def.h"
#include "millrace/proto/plan/digest.h"

namespace millrace {

std::set<std::string> UserOps(const plan::Plan& plan) {
  std::set<std::string> ops;
  for (const plan::Block& block : plan.blocks) {
    for (const plan::Step& step : block.steps) {
      if (!step.op.empty() && Registry::BuiltIn().Find(step.op) == nullptr) ops.insert(step.op);
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
