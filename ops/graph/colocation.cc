#include "millrace/ops/graph/colocation.h"

#include "millrace/proto/value/strings.h"

namespace millrace {

void RenameGroups(AttrMap* attrs, absl::FunctionRef<std::string(std::string_view node)> renamed) {
  const auto together = attrs->find("_class");
  const ListValue* const names = together != attrs->end() ? together->second.get<ListValue>() : nullptr;
  if (names == nullptr) return;
  constexpr std::string_view kPrefix = "loc:@";
  ListValue groups = *names;
  for (std::string& group : groups.s) {
    if (!group.starts_with(kPrefix)) continue;
    const std::string node = renamed(std::string_view(group).substr(kPrefix.size()));
    if (!node.empty()) group = Cat(kPrefix, node);
  }
  together->second = std::move(groups);
}

}  // namespace millrace
