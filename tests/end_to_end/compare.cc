#include "millrace/tests/end_to_end/compare.h"

#include <cmath>
#include <complex>
#include <cstring>
#include <limits>

#include "millrace/proto/value/strings.h"

namespace millrace::end_to_end {
namespace {

// Calls visit(T{}) with the C++ type of a plain dtype; quantised types are their
// integers.
template <typename Visit>
auto VisitType(DType dtype, Visit visit) {
  switch (dtype) {
    case DType::kFloat:
      return visit(float{});
    case DType::kDouble:
      return visit(double{});
    case DType::kHalf:
      return visit(Half{});
    case DType::kBfloat16:
      return visit(BFloat16{});
    case DType::kInt8:
    case DType::kQint8:
      return visit(int8_t{});
    case DType::kInt16:
    case DType::kQint16:
      return visit(int16_t{});
    case DType::kInt32:
    case DType::kQint32:
      return visit(int32_t{});
    case DType::kInt64:
      return visit(int64_t{});
    case DType::kUint8:
    case DType::kQuint8:
      return visit(uint8_t{});
    case DType::kUint16:
    case DType::kQuint16:
      return visit(uint16_t{});
    case DType::kUint32:
      return visit(uint32_t{});
    case DType::kUint64:
      return visit(uint64_t{});
    case DType::kBool:
      return visit(bool{});
    case DType::kComplex64:
      return visit(std::complex<float>{});
    case DType::kComplex128:
      return visit(std::complex<double>{});
    default:
      return visit(std::string{});
  }
}

std::string Text(double v) { return Cat(v); }
std::string Text(float v) { return Cat(static_cast<double>(v)); }
std::string Text(Half v) { return Text(static_cast<float>(v)); }
std::string Text(BFloat16 v) { return Text(static_cast<float>(v)); }
template <typename T>
std::string Text(std::complex<T> v) {
  return Cat(Text(v.real()), "+", Text(v.imag()), "i");
}
std::string Text(const std::string& v) { return Cat("\"", v.substr(0, 40), "\""); }
template <std::integral T>
std::string Text(T v) {
  return Cat(static_cast<int64_t>(v));
}

// How far apart, in tolerances; 0 where equal, infinity where nothing helps.
double Distance(double found, double expected, double rtol, double atol) {
  if (std::isnan(found) && std::isnan(expected)) return 0;
  if (found == expected) return 0;
  if (!std::isfinite(found) || !std::isfinite(expected)) return std::numeric_limits<double>::infinity();
  const double allowed = atol + rtol * std::fabs(expected);
  const double off = std::fabs(found - expected);
  return allowed > 0 ? off / allowed : std::numeric_limits<double>::infinity();
}
template <typename T>
double ElementDistance(const T& found, const T& expected, double rtol, double atol) {
  if constexpr (std::is_floating_point_v<T>) {
    return Distance(found, expected, rtol, atol);
  } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    return Distance(static_cast<float>(found), static_cast<float>(expected), rtol, atol);
  } else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
    const double off = std::abs(std::complex<double>(found) - std::complex<double>(expected));
    if (off <= atol + rtol * std::abs(std::complex<double>(expected))) return off == 0 ? 0 : 0.5;
    return std::max(Distance(found.real(), expected.real(), rtol, atol),
                    Distance(found.imag(), expected.imag(), rtol, atol));
  } else {
    return found == expected ? 0 : std::numeric_limits<double>::infinity();
  }
}
template <typename T>
bool SameBits(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, std::string>) {
    return a == b;
  } else if constexpr (std::is_floating_point_v<T>) {
    return std::memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b));
  } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    return a.bits == b.bits || (std::isnan(static_cast<float>(a)) && std::isnan(static_cast<float>(b)));
  } else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
    return SameBits(a.real(), b.real()) && SameBits(a.imag(), b.imag());
  } else {
    return a == b;
  }
}

std::string KindDifference(const Tensor& found, const Tensor& expected) {
  if (found.dtype() != expected.dtype()) {
    return Cat("dtype ", DTypeName(found.dtype()), ", expected ", DTypeName(expected.dtype()));
  }
  if (!(found.shape() == expected.shape())) {
    return Cat("shape ", found.shape().ToString(), ", expected ", expected.shape().ToString());
  }
  return "";
}

// Index of element i as "[1,2]".
std::string IndexText(int64_t i, const Shape& shape) {
  std::vector<int64_t> index(static_cast<size_t>(shape.rank()));
  for (int d = shape.rank() - 1; d >= 0; --d) {
    index[static_cast<size_t>(d)] = i % shape.dim(d);
    i /= shape.dim(d);
  }
  return Cat("[", Join(index, ","), "]");
}

template <typename T, typename Far>
std::string FirstDifference(const Tensor& found, const Tensor& expected, Far far) {
  const auto a = found.elements<T>();
  const auto b = expected.elements<T>();
  int64_t first = -1, count = 0;
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = far(a[i], b[i]);
    if (d <= 1) continue;
    if (first < 0) first = static_cast<int64_t>(i);
    ++count;
    worst = std::max(worst, d);
  }
  if (first < 0) return "";
  const auto i = static_cast<size_t>(first);
  return Cat("at ", IndexText(first, found.shape()), " found ", Text(T(a[i])), ", expected ", Text(T(b[i])), "; ",
             count, " of ", a.size(), " differ", std::isfinite(worst) ? Cat(", worst ", worst, " tolerances") : "");
}

}  // namespace

std::string Difference(const Tensor& found, const Tensor& expected, double rtol, double atol) {
  if (std::string d = KindDifference(found, expected); !d.empty()) return d;
  return VisitType(found.dtype(), [&](auto type) {
    using T = decltype(type);
    return FirstDifference<T>(found, expected,
                              [&](const T& a, const T& b) { return ElementDistance<T>(a, b, rtol, atol); });
  });
}

namespace {
// FNV-1a, a byte at a time: speed does not matter here.
uint64_t Hash(const void* data, size_t size, uint64_t seed) {
  for (size_t i = 0; i < size; ++i) seed = (seed ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001b3ull;
  return seed;
}
template <typename T>
uint64_t HashElement(const T& v, uint64_t seed) {
  if constexpr (std::is_same_v<T, std::string>) {
    return Hash(v.data(), v.size(), Hash("s", 1, seed));
  } else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
    return HashElement(v.imag(), HashElement(v.real(), seed));
  } else if constexpr (std::is_floating_point_v<T>) {
    return std::isnan(v) ? Hash("n", 1, seed) : Hash(&v, sizeof v, seed);
  } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    return std::isnan(static_cast<float>(v)) ? Hash("n", 1, seed) : Hash(&v, sizeof v, seed);
  } else {
    return Hash(&v, sizeof v, seed);
  }
}
}  // namespace

uint64_t Digest(const Tensor& tensor, uint64_t seed) {
  const std::string kind = Cat(DTypeName(tensor.dtype()), tensor.shape().ToString());
  seed = Hash(kind.data(), kind.size(), seed);
  return VisitType(tensor.dtype(), [&](auto type) {
    using T = decltype(type);
    uint64_t hash = seed;
    for (const T& v : tensor.elements<T>()) hash = HashElement<T>(v, hash);
    return hash;
  });
}

std::string BitDifference(const Tensor& found, const Tensor& expected) {
  if (std::string d = KindDifference(found, expected); !d.empty()) return d;
  return VisitType(found.dtype(), [&](auto type) {
    using T = decltype(type);
    return FirstDifference<T>(found, expected, [](const T& a, const T& b) {
      return SameBits<T>(a, b) ? 0.0 : std::numeric_limits<double>::infinity();
    });
  });
}

}  // namespace millrace::end_to_end
