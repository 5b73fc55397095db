#include "millrace/ops/graph/names.h"

#include <algorithm>

#include "millrace/ops/graph/graph.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

std::string Lower(std::string_view name) {
  std::string out(name);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return out;
}

// Up to the first scope that is there: those around it are there too.
void Take(TakenNames* taken, std::string name) {
  while (taken->try_emplace(name, 1).second) {
    const size_t slash = name.rfind('/');
    if (slash == std::string::npos || slash == 0) return;
    name.resize(slash);
  }
}

}  // namespace

void TakeName(TakenNames* taken, std::string_view name) { Take(taken, Lower(name)); }

std::string UniqueNameAmong(TakenNames* taken, std::string_view base) {
  const std::string key = Lower(base);
  const auto it = taken->find(key);
  if (it == taken->end()) {
    Take(taken, key);
    return std::string(base);
  }
  // The number goes up with every call, so that many nodes of one name stay cheap.
  int number = it->second;
  while (taken->count(Cat(key, "_", number)) != 0) ++number;
  it->second = number + 1;
  Take(taken, Cat(key, "_", number));
  return Cat(base, "_", number);
}

std::string Graph::UniqueName(std::string_view base) {
  for (; named_ < nodes_.size(); ++named_) TakeName(&taken_, nodes_[named_]->name());
  return UniqueNameAmong(&taken_, base);
}

}  // namespace millrace
