#include "millrace/ops/builder/literal.h"

#include <cmath>
#include <complex>
#include <limits>

#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

constexpr size_t kShown = 6;

template <typename T>
bool InRange(int64_t v) {
  if constexpr (std::is_same_v<T, uint64_t>) return v >= 0;
  else return v >= int64_t{std::numeric_limits<T>::min()} && v <= int64_t{std::numeric_limits<T>::max()};
}

bool IsFraction(DType dtype) { return IsFloating(dtype) || IsComplex(dtype); }

bool HoldsInt(DType dtype, int64_t v) {
  switch (dtype) {
    case DType::kInt8:
      return InRange<int8_t>(v);
    case DType::kInt16:
      return InRange<int16_t>(v);
    case DType::kInt32:
      return InRange<int32_t>(v);
    case DType::kInt64:
      return true;
    case DType::kUint8:
      return InRange<uint8_t>(v);
    case DType::kUint16:
      return InRange<uint16_t>(v);
    case DType::kUint32:
      return InRange<uint32_t>(v);
    case DType::kUint64:
      return InRange<uint64_t>(v);
    case DType::kHalf:
      return std::isfinite(Half::ToFloat(Half::FromFloat(static_cast<float>(v))));
    default:
      return IsFraction(dtype);
  }
}

bool HoldsFloat(DType dtype, double v) {
  if (!IsFraction(dtype)) return false;
  if (!std::isfinite(v)) return true;
  const float narrow = static_cast<float>(v);
  switch (dtype) {
    case DType::kHalf:
      return std::isfinite(Half::ToFloat(Half::FromFloat(narrow)));
    case DType::kBfloat16:
      return std::isfinite(BFloat16::ToFloat(BFloat16::FromFloat(narrow)));
    case DType::kFloat:
    case DType::kComplex64:
      return std::isfinite(narrow);
    default:
      return true;
  }
}

size_t NumElements(const Literal& literal) {
  return literal.ints.size() + literal.floats.size() + literal.strings.size();
}

template <typename To, typename From>
Tensor Convert(const Shape& shape, const std::vector<From>& values) {
  const Result<Tensor> tensor = Tensor::New(kDTypeOf<To>, shape, HostAllocator());
  if (!tensor.ok()) return Tensor();
  To* out = static_cast<To*>(tensor->data());
  for (const From& v : values) {
    if constexpr (std::is_same_v<To, Half> || std::is_same_v<To, BFloat16>) {
      *out++ = To(static_cast<float>(v));
    } else if constexpr (std::is_same_v<To, std::complex<float>>) {
      *out++ = To(static_cast<float>(v), 0.0f);
    } else if constexpr (std::is_same_v<To, std::complex<double>>) {
      *out++ = To(static_cast<double>(v), 0.0);
    } else {
      *out++ = static_cast<To>(v);
    }
  }
  return *tensor;
}

template <typename From>
Tensor ConvertNumbers(DType dtype, const Shape& shape, const std::vector<From>& values) {
  switch (dtype) {
    case DType::kFloat:
      return Convert<float>(shape, values);
    case DType::kDouble:
      return Convert<double>(shape, values);
    case DType::kHalf:
      return Convert<Half>(shape, values);
    case DType::kBfloat16:
      return Convert<BFloat16>(shape, values);
    case DType::kComplex64:
      return Convert<std::complex<float>>(shape, values);
    case DType::kComplex128:
      return Convert<std::complex<double>>(shape, values);
    case DType::kInt8:
      return Convert<int8_t>(shape, values);
    case DType::kInt16:
      return Convert<int16_t>(shape, values);
    case DType::kInt32:
      return Convert<int32_t>(shape, values);
    case DType::kInt64:
      return Convert<int64_t>(shape, values);
    case DType::kUint8:
      return Convert<uint8_t>(shape, values);
    case DType::kUint16:
      return Convert<uint16_t>(shape, values);
    case DType::kUint32:
      return Convert<uint32_t>(shape, values);
    case DType::kUint64:
      return Convert<uint64_t>(shape, values);
    case DType::kBool:
      return Convert<bool>(shape, values);
    default:
      return Tensor();
  }
}

// Which literal decides the dtype of several.
int Rank(Literal::Kind kind) {
  switch (kind) {
    case Literal::Kind::kBool:
      return 0;
    case Literal::Kind::kInt:
      return 1;
    case Literal::Kind::kFloat:
      return 2;
    case Literal::Kind::kString:
      return 3;
  }
  return 0;
}

}  // namespace

bool CanHold(DType dtype, const Literal& literal) {
  if (NumElements(literal) == 0)
    return IsFraction(dtype) || IsInteger(dtype) || dtype == DType::kBool || dtype == DType::kString;
  switch (literal.kind) {
    case Literal::Kind::kBool:
      return dtype == DType::kBool;
    case Literal::Kind::kString:
      return dtype == DType::kString;
    case Literal::Kind::kInt:
      for (int64_t v : literal.ints) {
        if (!HoldsInt(dtype, v)) return false;
      }
      return true;
    case Literal::Kind::kFloat:
      for (double v : literal.floats) {
        if (!HoldsFloat(dtype, v)) return false;
      }
      return true;
  }
  return false;
}

DType NaturalDType(std::span<const Literal* const> literals) {
  const Literal* highest = literals[0];
  bool wide = false;
  for (const Literal* literal : literals) {
    if (Rank(literal->kind) > Rank(highest->kind)) highest = literal;
    if (literal->kind == Literal::Kind::kInt && !CanHold(DType::kInt32, *literal)) wide = true;
  }
  switch (highest->kind) {
    case Literal::Kind::kBool:
      return DType::kBool;
    case Literal::Kind::kInt:
      return wide ? DType::kInt64 : DType::kInt32;
    case Literal::Kind::kFloat:
      return DType::kFloat;
    case Literal::Kind::kString:
      return DType::kString;
  }
  return DType::kInvalid;
}

Result<Tensor> ToTensor(const Literal& literal, DType dtype) {
  const Shape shape{std::span<const int64_t>(literal.shape)};
  Tensor tensor;
  if (dtype == DType::kString) tensor = Tensor::Of(shape, literal.strings);
  else if (literal.kind == Literal::Kind::kFloat) tensor = ConvertNumbers(dtype, shape, literal.floats);
  else tensor = ConvertNumbers(dtype, shape, literal.ints);
  if (!tensor.valid()) return ResourceExhausted(Cat("expected memory for a constant of shape ", shape.ToString()));
  return tensor;
}

std::string ToString(const Literal& literal) {
  std::string out;
  const size_t n = NumElements(literal);
  for (size_t i = 0; i < n && i < kShown; ++i) {
    if (i > 0) out += ", ";
    switch (literal.kind) {
      case Literal::Kind::kBool:
        out += literal.ints[i] != 0 ? "true" : "false";
        break;
      case Literal::Kind::kInt:
        out += Cat(literal.ints[i]);
        break;
      case Literal::Kind::kFloat:
        out += Cat(literal.floats[i]);
        break;
      case Literal::Kind::kString:
        out += Cat("'", literal.strings[i], "'");
        break;
    }
  }
  if (n > kShown) out += ", ...";
  return literal.shape.empty() ? out : Cat("[", out, "]");
}

}  // namespace millrace
