// What elements are computed in: the 16-bit floating-point types in float, others
// in themselves.
#pragma once

#include "millrace/proto/value/half.h"

namespace millrace {

template <typename T>
struct ComputeTypeOf {
  using Type = T;
};
template <>
struct ComputeTypeOf<Half> {
  using Type = float;
};
template <>
struct ComputeTypeOf<BFloat16> {
  using Type = float;
};
template <typename T>
using ComputeType = typename ComputeTypeOf<T>::Type;

}  // namespace millrace
