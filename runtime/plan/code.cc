#include "millrace/runtime/plan/code.h"

#include <vector>

#include "millrace/ops/cluster/code.h"

namespace millrace::exec {

std::shared_ptr<const CodeStore> LoadCode(const plan::Plan& plan, std::shared_ptr<CodeMaker> maker) {
  std::vector<CodeStore::Item> items;
  for (const plan::Code& code : plan.code) items.push_back({code.symbol, code.features, code.content.view()});
  return CodeStore::Load(items, ActiveIsa(), std::move(maker));
}

}  // namespace millrace::exec
