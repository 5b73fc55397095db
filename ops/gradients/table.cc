#include "millrace/ops/gradients/table.h"

namespace millrace {

namespace gradients {
#define MILLRACE_GRADIENTS(name) void name(GradientTable& table);
#include "millrace/ops/gradients.def"
#undef MILLRACE_GRADIENTS
}  // namespace gradients

const GradientTable& GradientTable::BuiltIn() {
  static const GradientTable* const table = [] {
    auto* t = new GradientTable;
#define MILLRACE_GRADIENTS(name) gradients::name(*t);
#include "millrace/ops/gradients.def"
#undef MILLRACE_GRADIENTS
    return t;
  }();
  return *table;
}

void GradientTable::Define(std::string_view op, GradientFn fn) {
  if (!functions_.emplace(op, fn).second) problems_.emplace_back(op);
}

GradientFn GradientTable::Find(std::string_view op) const {
  const auto it = functions_.find(op);
  return it == functions_.end() ? nullptr : it->second;
}

std::vector<std::string> GradientTable::names() const {
  std::vector<std::string> names;
  for (const auto& [name, fn] : functions_) names.push_back(name);
  return names;
}

}  // namespace millrace
