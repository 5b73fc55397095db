// The typed function of one op.
#pragma once

#include <string>

#include "millrace/ops/registry/op.h"

namespace millrace::opgen {

struct Function {
  std::string declaration;  // with its comment, attributes and outputs
  std::string definition;
};

// The function that README.md describes; Unimplemented names the op and what
// cannot be written.
Result<Function> MakeFunction(const Op& op);

}  // namespace millrace::opgen
