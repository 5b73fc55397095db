// Expression ops of a user's own: one scalar expression makes an element-wise op
// with a kernel for each dtype, broadcasting and threads, as built-in ones are
// made.
#pragma once

#include "millrace/ops/expr/family.h"

namespace millrace {

namespace user_internal {

template <class Fn, class S>
constexpr int ArityOf() {
  if constexpr (requires(S x) { Fn::Of(x); }) return 1;
  else if constexpr (requires(S x) { Fn::Of(x, x); }) return 2;
  else return 3;
}

template <class Fn, class T>
struct BodyGroup {
  using S = decltype(expr::MILLRACE_ISA::Load<T, 1>(nullptr));
  static constexpr int kArity = ArityOf<Fn, S>();
  using type = std::conditional_t<
      kArity == 1, expr::MILLRACE_ISA::Unary<Fn, T>,
      std::conditional_t<kArity == 2, expr::MILLRACE_ISA::Binary<Fn, T>, expr::MILLRACE_ISA::Ternary<Fn, T>>>;
};

template <class Fn, class... T>
struct Holder {
  static const Expression kExpression;
};
template <class Fn, class... T>
const Expression Holder<Fn, T...>::kExpression = {
    "user",
    ExpressionTraits{4},
    {&expr::MILLRACE_ISA::Bodies<typename BodyGroup<Fn, T>::type...>::kTable, nullptr},
    &MakeElementwise<Holder<Fn, T...>::kExpression>};

}  // namespace user_internal

// The expression of `Fn` for operands and a result of one dtype, each of `T`
// (float, double, Half, BFloat16, int8_t ... uint64_t). Fn::Of is a static
// function template of one, two or three values:
//
//   struct Swish {
//     template <class S>
//     static S Of(S x) { return x * Sigmoid(x); }
//   };
//   registry->Define("Swish").Input("x: T").Output("y: T").Attr("T: {float, double}")
//       .Shape(shape_fns::Unchanged)
//       .Gradient(SwishGradient)
//       .Elementwise(ExpressionOf<Swish, float, double>());
//
// In it: + - * /, comparisons (which give masks), & | ! on masks,
// Select(mask, a, b), Minimum, Maximum, Abs, Sqrt, Exp, Log, Tanh, Sigmoid, Sin,
// Cos, Pow, Fma ... (ops/expr/functions.h), constants as S(0.5), Zero(x),
// One(x). No `if` on a value: the same source runs over vectors. Half types
// compute in float. Compile the file with -march=x86-64-v3 (the floor of the
// library; without it vectors are narrower) and -ffp-contract=off (without it a
// compiler may join a product and a sum, and the bits are others than elsewhere).
// Neither the CMake target nor the pkg-config file brings them: they are for this file,
// not for a whole program.
template <class Fn, class... T>
const Expression* ExpressionOf() {
  return &user_internal::Holder<Fn, T...>::kExpression;
}

}  // namespace millrace
