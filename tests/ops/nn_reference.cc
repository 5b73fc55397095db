#include "millrace/tests/ops/nn_reference.h"

namespace millrace::reference {

Values MatMul(const Values& a, const Values& b, int64_t m, int64_t n, int64_t k, bool ta, bool tb) {
  Values c(static_cast<size_t>(m * n));
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t l = 0; l < k; ++l) {
        sum += a[static_cast<size_t>(ta ? l * m + i : i * k + l)] * b[static_cast<size_t>(tb ? j * k + l : l * n + j)];
      }
      c[static_cast<size_t>(i * n + j)] = sum;
    }
  }
  return c;
}

namespace {

// f(image element, filter element, result element) for every product.
template <typename F>
void ForEachProduct(const Conv& c, const F& f) {
  const int64_t groups = c.channels / c.filter_channels, per_group = c.out_channels / groups;
  size_t at = 0;
  for (int64_t n = 0; n < c.batch; ++n) {
    for (int64_t oy = 0; oy < c.out[0]; ++oy) {
      for (int64_t ox = 0; ox < c.out[1]; ++ox) {
        for (int64_t co = 0; co < c.out_channels; ++co, ++at) {
          for (int64_t ky = 0; ky < c.window[0]; ++ky) {
            for (int64_t kx = 0; kx < c.window[1]; ++kx) {
              const int64_t iy = oy * c.stride[0] + ky * c.dilation[0] - c.pad[0];
              const int64_t ix = ox * c.stride[1] + kx * c.dilation[1] - c.pad[1];
              if (iy < 0 || ix < 0 || iy >= c.in[0] || ix >= c.in[1]) continue;
              for (int64_t ci = 0; ci < c.filter_channels; ++ci) {
                const int64_t channel = co / per_group * c.filter_channels + ci;
                f(static_cast<size_t>(((n * c.in[0] + iy) * c.in[1] + ix) * c.channels + channel),
                  static_cast<size_t>(((ky * c.window[1] + kx) * c.filter_channels + ci) * c.out_channels + co), at);
              }
            }
          }
        }
      }
    }
  }
}

}  // namespace

Values Convolve(const Conv& c, const Values& x, const Values& w) {
  Values y(static_cast<size_t>(c.batch * c.out[0] * c.out[1] * c.out_channels));
  ForEachProduct(c, [&](size_t i, size_t k, size_t o) { y[o] += x[i] * w[k]; });
  return y;
}

void ConvolveGradients(const Conv& c, const Values& x, const Values& w, const Values& dy, Values* dx, Values* dw) {
  ForEachProduct(c, [&](size_t i, size_t k, size_t o) {
    (*dx)[i] += dy[o] * w[k];
    (*dw)[k] += dy[o] * x[i];
  });
}

}  // namespace millrace::reference
