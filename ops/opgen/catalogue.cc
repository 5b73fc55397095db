#include "millrace/ops/opgen/catalogue.h"

#include <algorithm>

namespace millrace {
namespace families {

#define MILLRACE_FAMILY(folder, name) void name(Registry&);
#include "millrace/ops/families.def"
#undef MILLRACE_FAMILY

}  // namespace families

namespace opgen {

std::map<std::string, std::vector<const Op*>> OpsByFolder() {
  std::map<std::string, std::vector<const Op*>> ops;
  const auto add = [&](const char* folder, void (*family)(Registry&)) {
    Registry alone;
    family(alone);
    std::vector<const Op*>& list = ops[folder];
    for (const Op* op : alone.ops()) {
      // The same definition, where it stays.
      if (!op->name().starts_with('_') && op->name() != "Const") list.push_back(Registry::BuiltIn().Find(op->name()));
    }
  };
#define MILLRACE_FAMILY(folder, name) add(#folder, families::name);
#include "millrace/ops/families.def"
#undef MILLRACE_FAMILY
  for (auto& [folder, list] : ops) {
    std::sort(list.begin(), list.end(), [](const Op* a, const Op* b) { return a->name() < b->name(); });
  }
  return ops;
}

}  // namespace opgen
}  // namespace millrace
