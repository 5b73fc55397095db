// VariableScope and GetVariable: variables by name, made once and shared.
#pragma once

#include <string_view>

#include "millrace/ops/training/variable.h"

namespace millrace {

// Whether GetVariable makes variables or gives those that are there.
enum class Reuse : uint8_t {
  kNo,    // makes: a name that is there is an error; inside a scope with another
          // way, that one holds
  kYes,   // gives: a name that is not there is an error
  kAuto,  // gives, or makes where it is not there
};

// A scope whose variables are called "name/..." and whose nodes are below "name/",
// or "name_1/" and so on where that is taken: opening a variable scope again names
// the same variables. Other scopes (NewSubScope) say nothing of variables' names.
//
//   Output Layer(const Scope& parent, const Output& x) {
//     Scope scope = VariableScope(parent, "layer", Reuse::kAuto);
//     return ops::MatMul(scope, x, GetVariable(scope, "w", Shape({64, 64}), DType::kFloat));
//   }
//   Output y = Layer(root, Layer(root, x));  // one variable, "layer/w"
Scope VariableScope(const Scope& parent, std::string_view name, Reuse reuse = Reuse::kNo);

// The variable of that name in the scope: "outer/inner/name" inside variable
// scopes. One that is shared must have been made with this shape and dtype.
//
// Errors, in the scope's status: AlreadyExists where the name is taken and the
// scope does not reuse (by a variable, or by another node), NotFound where it
// reuses and there is none, InvalidArgument where shape or dtype differ.
Variable GetVariable(At at, std::string_view name, const Shape& shape, DType dtype, const Initializer& initializer,
                     const VariableOptions& options = {});
// With Glorot's uniform initialiser; zeros where the dtype is not floating-point.
Variable GetVariable(At at, std::string_view name, const Shape& shape, DType dtype = DType::kFloat);

// The variable "global_step", an int64 that counts steps: made at the first call
// (with the value 0, not trainable), or the one that is in the graph.
Variable GlobalStep(At at, bool resource = true);

}  // namespace millrace
