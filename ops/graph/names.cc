// Unique names.
#include <algorithm>

#include "millrace/ops/graph/graph.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

std::string Lower(std::string_view name) {
  std::string out(name);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
  return out;
}

// `name` and the scopes around it, up to the first that is there.
void Take(std::unordered_map<std::string, int>* taken, std::string name) {
  while (taken->try_emplace(name, 1).second) {
    const size_t slash = name.rfind('/');
    if (slash == std::string::npos || slash == 0) return;
    name.resize(slash);
  }
}

}  // namespace

std::string Graph::UniqueName(std::string_view base) {
  for (; named_ < nodes_.size(); ++named_) Take(&taken_, Lower(nodes_[named_]->name()));
  const std::string key = Lower(base);
  const auto it = taken_.find(key);
  if (it == taken_.end()) {
    Take(&taken_, key);
    return std::string(base);
  }
  // The number goes up with every call, so that many nodes of one name stay cheap.
  int number = it->second;
  while (taken_.count(Cat(key, "_", number)) != 0) ++number;
  it->second = number + 1;
  Take(&taken_, Cat(key, "_", number));
  return Cat(base, "_", number);
}

}  // namespace millrace
