// What the definitions of the element-wise families share.
#pragma once

#include "millrace/ops/registry/op.h"

namespace millrace::math {

// Output 0 has the shape of input 0; nothing is said of its elements.
Status SameShape(InferenceContext& c);
// Definitions with the arguments that most of these ops have. `types` is the
// specification of attribute T: "{half, float}".
OpBuilder DefineUnary(Registry& r, std::string name, std::string_view types);   // y = op(x)
OpBuilder DefineBinary(Registry& r, std::string name, std::string_view types);  // z = op(x, y), broadcasting
// z = op(y, dy): the gradient of an op from its result, all of one shape.
OpBuilder DefineResultGradient(Registry& r, std::string name, std::string_view types);

}  // namespace millrace::math
