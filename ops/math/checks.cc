#include "millrace/ops/math/checks.h"

namespace millrace::math {
namespace {

// Blocks without a branch, so that the loop is a vector loop.
template <class T, class Bad>
bool AnyOf(const TensorView& t, Bad bad) {
  constexpr int64_t kBlock = 4096;
  const T* p = t.as<T>();
  for (int64_t begin = 0; begin < t.num_elements; begin += kBlock) {
    const int64_t end = begin + kBlock < t.num_elements ? begin + kBlock : t.num_elements;
    T found = 0;
    for (int64_t i = begin; i < end; ++i) found |= static_cast<T>(bad(p[i]));
    if (found) return true;
  }
  return false;
}

template <class Bad>
bool AnyInteger(const TensorView& t, Bad bad) {
  switch (t.dtype) {
    case DType::kInt8:
      return AnyOf<int8_t>(t, bad);
    case DType::kInt16:
      return AnyOf<int16_t>(t, bad);
    case DType::kInt32:
      return AnyOf<int32_t>(t, bad);
    case DType::kInt64:
      return AnyOf<int64_t>(t, bad);
    case DType::kUint8:
      return AnyOf<uint8_t>(t, bad);
    case DType::kUint16:
      return AnyOf<uint16_t>(t, bad);
    case DType::kUint32:
      return AnyOf<uint32_t>(t, bad);
    case DType::kUint64:
      return AnyOf<uint64_t>(t, bad);
    default:
      return false;
  }
}

// Nothing is divided where the result has no elements.
bool DividesByZero(std::span<const TensorView> operands) {
  return operands[0].num_elements > 0 && AnyInteger(operands[1], [](auto v) { return v == 0; });
}
constexpr char kByZero[] = "integer division by zero: input 1 has an element that is 0";

}  // namespace

Status CheckDivisor(std::span<const TensorView> operands) {
  return DividesByZero(operands) ? InvalidArgument(kByZero) : OkStatus();
}

Status CheckTruncatedDivisor(std::span<const TensorView> operands) {
  return DividesByZero(operands) ? Internal(kByZero) : OkStatus();
}

Status CheckExponent(std::span<const TensorView> operands) {
  if (operands[0].num_elements == 0 || !AnyInteger(operands[1], [](auto v) { return v < 0; })) return OkStatus();
  return InvalidArgument("integers cannot be raised to negative powers: input 1 has an element below 0");
}

}  // namespace millrace::math
