// ByType: one instantiation of a function template by the dtype of a node.
#pragma once

#include "millrace/proto/value/dtype.h"

namespace millrace {

// F::Of<T>() for the T among Ts whose dtype `type` is: a function pointer, a
// factory. Null where none is.
//
//   struct MaxPoolOf {
//     template <typename T>
//     static Fn Of() { return RunMaxPool<T>; }
//   };
//   const Fn fn = ByType<MaxPoolOf, float, double>(init.input_type(0));
template <typename F, typename First, typename... Ts>
auto ByType(DType type) {
  decltype(F::template Of<First>()) found = nullptr;
  if (type == kDTypeOf<First>) found = F::template Of<First>();
  ((type == kDTypeOf<Ts> ? void(found = F::template Of<Ts>()) : void()), ...);
  return found;
}

}  // namespace millrace
