#include "millrace/ops/user/user_ops_hash.h"

#include "millrace/proto/codec/op_def.h"
#include "millrace/proto/plan/digest.h"

namespace millrace {

uint64_t UserOpsHash(const std::set<std::string>& ops, const Registry& registry) {
  std::string text;
  for (const std::string& name : ops) {
    if (Registry::BuiltIn().Find(name) != nullptr) continue;
    const Op* op = registry.Find(name);
    // Words are for people and may change.
    OpDefValue signature;
    if (op != nullptr) signature = op->signature();
    signature.name = name;
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
