// Naive loops in double, to compare products, convolutions and pooling with.
#pragma once

#include <cmath>
#include <random>
#include <vector>

#include "millrace/devices/api/tensor.h"
#include "millrace/proto/value/half.h"

namespace millrace::reference {

using Values = std::vector<double>;

template <typename T>
Values ToDouble(const Tensor& t) {
  Values v;
  for (const T& x : t.elements<T>()) {
    if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
      v.push_back(static_cast<float>(x));
    } else {
      v.push_back(static_cast<double>(x));
    }
  }
  return v;
}

template <typename T>
Tensor Random(std::mt19937& rng, const Shape& shape) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<T> values(static_cast<size_t>(*shape.NumElements()));
  for (T& v : values) v = static_cast<T>(uniform(rng));
  return Tensor::Of<T>(shape, values);
}

// a: m x k or, transposed, k x m; likewise b.
Values MatMul(const Values& a, const Values& b, int64_t m, int64_t n, int64_t k, bool ta, bool tb);

struct Conv {
  int64_t batch, in[2], channels, window[2], filter_channels, out_channels, out[2];
  int64_t stride[2], dilation[2], pad[2];
};
// Images NHWC, filters HWIO; groups where filter_channels is a part of channels.
Values Convolve(const Conv& c, const Values& x, const Values& w);
// Adds the gradients by image and filter to dx and dw.
void ConvolveGradients(const Conv& c, const Values& x, const Values& w, const Values& dy, Values* dx, Values* dw);

}  // namespace millrace::reference
