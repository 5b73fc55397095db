// Element types. The numbers are those of the wire (GraphDef's DataType).
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/proto/value/half.h"

namespace millrace {

enum class DType : int32_t {
  kInvalid = 0,
  kFloat = 1,
  kDouble = 2,
  kInt32 = 3,
  kUint8 = 4,
  kInt16 = 5,
  kInt8 = 6,
  kString = 7,
  kComplex64 = 8,
  kInt64 = 9,
  kBool = 10,
  kQint8 = 11,
  kQuint8 = 12,
  kQint32 = 13,
  kBfloat16 = 14,
  kQint16 = 15,
  kQuint16 = 16,
  kUint16 = 17,
  kComplex128 = 18,
  kHalf = 19,
  kResource = 20,
  kVariant = 21,
  kUint32 = 22,
  kUint64 = 23,
};

// A reference type (the output of VariableV2) is its base type plus 100.
inline constexpr int32_t kRefOffset = 100;
constexpr bool IsRef(DType t) { return static_cast<int32_t>(t) > kRefOffset; }
constexpr DType MakeRef(DType t) {
  return IsRef(t) || t == DType::kInvalid ? t : static_cast<DType>(static_cast<int32_t>(t) + kRefOffset);
}
constexpr DType BaseType(DType t) { return IsRef(t) ? static_cast<DType>(static_cast<int32_t>(t) - kRefOffset) : t; }

// True for the 23 types above and their references.
bool IsValid(DType t);
// Bytes of one element; 0 for strings, resources, variants and invalid types.
size_t ElementSize(DType t);
// Elements that are objects (strings, resources, variants), not plain bytes.
constexpr bool IsObject(DType t) {
  t = BaseType(t);
  return t == DType::kString || t == DType::kResource || t == DType::kVariant;
}
bool IsFloating(DType t);  // half, bfloat16, float, double
bool IsInteger(DType t);   // int8 to int64, uint8 to uint64; not the quantised ones
bool IsComplex(DType t);
bool IsQuantized(DType t);

// "float", "int32", "float_ref" ...: the names of the op registry's text.
std::string DTypeName(DType t);
// The inverse, also for "DT_FLOAT", "DT_FLOAT_REF" and "float32".
std::optional<DType> ParseDType(std::string_view name);

// DTypeOf<float>::value and back.
template <typename T>
struct DTypeOf;
#define MR_DTYPE(T, d)                       \
  template <>                                \
  struct DTypeOf<T> {                        \
    static constexpr DType value = DType::d; \
  };
MR_DTYPE(float, kFloat)
MR_DTYPE(double, kDouble)
MR_DTYPE(int32_t, kInt32)
MR_DTYPE(uint8_t, kUint8)
MR_DTYPE(int16_t, kInt16)
MR_DTYPE(int8_t, kInt8)
MR_DTYPE(std::string, kString)
MR_DTYPE(std::complex<float>, kComplex64)
MR_DTYPE(int64_t, kInt64)
MR_DTYPE(bool, kBool)
MR_DTYPE(BFloat16, kBfloat16)
MR_DTYPE(uint16_t, kUint16)
MR_DTYPE(std::complex<double>, kComplex128)
MR_DTYPE(Half, kHalf)
MR_DTYPE(uint32_t, kUint32)
MR_DTYPE(uint64_t, kUint64)
#undef MR_DTYPE
template <typename T>
inline constexpr DType kDTypeOf = DTypeOf<T>::value;

}  // namespace millrace
