// How names are made unique. Private to this folder.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

namespace millrace {

// Names that are taken, in lower case, with the number to try next.
using TakenNames = std::unordered_map<std::string, int>;

// `name` and the scopes around it are taken from now on.
void TakeName(TakenNames* taken, std::string_view name);
// Graph::UniqueName among those.
std::string UniqueNameAmong(TakenNames* taken, std::string_view base);

}  // namespace millrace
