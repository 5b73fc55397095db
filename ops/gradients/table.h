// The gradient functions of the built-in ops, by op. They stand beside their ops
// in *_grad.cc files; gradients.def names the functions that list them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/ops/registry/op.h"

namespace millrace {

class GradientTable {
 public:
  // Built at the first call; safe from any thread afterwards.
  static const GradientTable& BuiltIn();
  void Define(std::string_view op, GradientFn fn);
  // Null where there is none.
  GradientFn Find(std::string_view op) const;
  std::vector<std::string> names() const;
  // Names defined twice.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  std::map<std::string, GradientFn, std::less<>> functions_;
  std::vector<std::string> problems_;
};

}  // namespace millrace
