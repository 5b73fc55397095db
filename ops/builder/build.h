// Build: what Call and the generated functions are made of. Internal to the
// builder.
#pragma once

#include <span>
#include <string_view>

#include "millrace/ops/builder/operand.h"
#include "millrace/ops/builder/scope.h"
#include "millrace/proto/value/attr.h"

namespace millrace::builder {

// An argument of an op, somewhere else.
struct ArgumentRef {
  ArgumentRef(const Operand& operand) : list(false), operands(&operand, 1) {}  // NOLINT: implicit on purpose
  ArgumentRef(const Operands& operands) : list(true), operands(operands) {}    // NOLINT
  bool list;
  std::span<const Operand> operands;
};

// See Call.
Operation Build(const At& at, std::string_view op, std::span<const ArgumentRef> arguments, AttrMap attrs);

}  // namespace millrace::builder
