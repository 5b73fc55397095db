// Values for element-wise ops and how their results are compared.
#pragma once

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "millrace/ops/expr/body.h"
#include "millrace/proto/value/half.h"

namespace millrace {

inline int Arity(const Body& body) {
  int n = 0;
  while (n < kMaxOperands && body.in[n] != DType::kInvalid) ++n;
  return n;
}

// Bits of any kind, with the values where functions turn.
inline void FillBits(DType type, std::vector<char>& bytes, std::mt19937_64& random) {
  const size_t size = ElementSize(type), count = bytes.size() / size;
  for (char& b : bytes) b = static_cast<char>(random());
  const auto put = [&](size_t i, auto v) { std::memcpy(bytes.data() + i * size, &v, sizeof v); };
  const auto values = [&]<class T>(T) {
    const double specials[] = {0.0,      -0.0,      1.0, -1.0, 0.5,    -0.5, 2.0, 1e-40, -1e-40,
                               1e-310,   1e-38,     6.0, 88.5, -104.0, 1e5,  2e5, 1e30,  -1e30,
                               INFINITY, -INFINITY, NAN, 1e-7, 3.5,    2.5,  -2.5};
    size_t i = 0;
    for (double s : specials) put(i++, static_cast<T>(static_cast<float>(s)));
    // Half of the rest near one, where most inputs are.
    std::normal_distribution<float> normal(0, 3);
    for (i += 7; i < count; i += 2) put(i, static_cast<T>(normal(random)));
  };
  switch (type) {
    case DType::kBool:
      for (char& b : bytes) b &= 1;
      break;
    case DType::kFloat:
      values(float());
      break;
    case DType::kDouble:
      values(double());
      break;
    case DType::kHalf:
      values(Half());
      break;
    case DType::kBfloat16:
      values(BFloat16());
      break;
    default:  // integers: small ones too
      for (size_t i = 0; i < count; i += 3) {
        std::memset(bytes.data() + i * size, static_cast<int>(random() % 2) * -1, size);
        bytes[i * size] = static_cast<char>(random() % 5);
      }
  }
}

// The same bits, or both NaN.
inline bool SameElement(DType type, const char* a, const char* b) {
  if (std::memcmp(a, b, ElementSize(type)) == 0) return true;
  const auto nan = [](auto v) { return v != v; };
  const auto load = [](auto v, const char* p) {
    std::memcpy(&v, p, sizeof v);
    return v;
  };
  switch (type) {
    case DType::kFloat:
      return nan(load(float(), a)) && nan(load(float(), b));
    case DType::kDouble:
      return nan(load(double(), a)) && nan(load(double(), b));
    case DType::kHalf:
      return nan(float(load(Half(), a))) && nan(float(load(Half(), b)));
    case DType::kBfloat16:
      return nan(float(load(BFloat16(), a))) && nan(float(load(BFloat16(), b)));
    default:
      return false;
  }
}

}  // namespace millrace
