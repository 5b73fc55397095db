// The elementary functions of ops/expr whose errors are measured: what they are
// exactly, what the C library makes of them, and the error that they may have.
#pragma once

#include <span>
#include <string_view>

#include "millrace/ops/expr/expression.h"

namespace millrace::ulp {

// One definition, evaluated in several types. Of one argument the second is 0.
template <class T>
using Evaluate = T (*)(T x, T y);

struct Function {
  std::string_view name;
  std::string_view op;                     // whose kernel is measured; empty: `expression`
  const Expression* expression = nullptr;  // of a function that no op is made of
  int arity = 1;
  Evaluate<float> in_float = nullptr;  // with the C library, as one would write it
  Evaluate<double> in_double = nullptr;
  Evaluate<long double> in_long_double = nullptr;
  double low = 0, high = 0;                  // where half of the samples of double are
  double float_bound = 0, double_bound = 0;  // units of the last place
  // Arguments that do not count: the reference, whose answer is wanted, is not near
  // the function there. Why stands where it is set.
  bool (*leave_out)(double x, double y) = nullptr;
};

std::span<const Function> Functions();
// Null where there is none of that name.
const Function* FindFunction(std::string_view name);

}  // namespace millrace::ulp
