// One instantiation of a template by the dtype of a node: ByType gives it, VisitType
// calls it.
#pragma once

#include <complex>
#include <cstdint>

#include "millrace/proto/value/dtype.h"
#include "millrace/proto/value/half.h"
#include "millrace/proto/value/status.h"
#include "millrace/proto/value/strings.h"

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

template <typename... Ts>
struct Types {};
using FloatTypes = Types<float, double, Half, BFloat16>;
using RealTypes =
    Types<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>;
using NumberTypes = Types<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                          uint64_t, std::complex<float>, std::complex<double>>;

// f.operator()<T>(), which returns a Status, for the T of the list whose dtype
// `type` is; Unimplemented, naming the dtype, where none is.
//
//   return VisitType(x.dtype, RealTypes(), [&]<typename T>() { return Fill<T>(ctx); });
template <typename F, typename... Ts>
Status VisitType(DType type, Types<Ts...>, const F& f) {
  Status status;
  const bool found = ((type == kDTypeOf<Ts> && (status = f.template operator()<Ts>(), true)) || ...);
  return found ? status : Unimplemented(Cat("no kernel for ", DTypeName(type)));
}

}  // namespace millrace
