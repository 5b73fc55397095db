// Pooling and its gradients against naive loops.
#include <limits>

#include "millrace/tests/ops/nn_check.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

using reference::Random;
using reference::ToDouble;
using reference::Values;

struct Case {
  int64_t batch, channels, in[2], window[2], stride[2], out[2], pad[2];
  bool same;
  size_t In(int64_t n, int64_t y, int64_t x, int64_t c) const {
    return static_cast<size_t>(((n * in[0] + y) * in[1] + x) * channels + c);
  }
};

Case RandomCase(std::mt19937& rng) {
  Case c;
  c.batch = Pick(rng, 1, 3);
  c.channels = Pick(rng, 1, 200);
  c.same = Pick(rng, 0, 1);
  for (int i = 0; i < 2; ++i) {
    c.window[i] = Pick(rng, 1, 4);
    c.stride[i] = Pick(rng, 1, 3);
    c.in[i] = Pick(rng, c.window[i], 13);
    c.out[i] = c.same ? (c.in[i] + c.stride[i] - 1) / c.stride[i] : (c.in[i] - c.window[i]) / c.stride[i] + 1;
    c.pad[i] = c.same ? std::max<int64_t>(0, (c.out[i] - 1) * c.stride[i] + c.window[i] - c.in[i]) / 2 : 0;
  }
  return c;
}

// f(output element, input elements of its window)
template <typename F>
void ForEachWindow(const Case& c, const F& f) {
  size_t o = 0;
  for (int64_t n = 0; n < c.batch; ++n) {
    for (int64_t oy = 0; oy < c.out[0]; ++oy) {
      for (int64_t ox = 0; ox < c.out[1]; ++ox) {
        for (int64_t ch = 0; ch < c.channels; ++ch, ++o) {
          std::vector<size_t> under;
          for (int64_t y = oy * c.stride[0] - c.pad[0]; y < oy * c.stride[0] - c.pad[0] + c.window[0]; ++y) {
            for (int64_t x = ox * c.stride[1] - c.pad[1]; x < ox * c.stride[1] - c.pad[1] + c.window[1]; ++x) {
              if (y >= 0 && x >= 0 && y < c.in[0] && x < c.in[1]) under.push_back(c.In(n, y, x, ch));
            }
          }
          f(o, under);
        }
      }
    }
  }
}

AttrMap Attrs(const Case& c, DType type, bool nchw) {
  const auto four = [&](const int64_t (&v)[2]) { return nchw ? Ints({1, 1, v[0], v[1]}) : Ints({1, v[0], v[1], 1}); };
  return {{"T", type},
          {"ksize", four(c.window)},
          {"strides", four(c.stride)},
          {"padding", c.same ? "SAME" : "VALID"},
          {"data_format", nchw ? "NCHW" : "NHWC"}};
}

template <typename T>
void Check(std::mt19937& rng, const Case& c) {
  const Shape image{c.batch, c.in[0], c.in[1], c.channels}, pooled{c.batch, c.out[0], c.out[1], c.channels};
  INFO(DTypeName(kDTypeOf<T>) << " " << image.ToString() << " window " << c.window[0] << "x" << c.window[1]
                              << " stride " << c.stride[0] << "," << c.stride[1] << (c.same ? " SAME" : " VALID"));
  const Tensor x = Random<T>(rng, image), dy = Random<T>(rng, pooled);
  const Values xs = ToDouble<T>(x), dys = ToDouble<T>(dy);
  Values max(dys.size()), mean(dys.size()), dmax(xs.size()), dmean(xs.size());
  ForEachWindow(c, [&](size_t o, const std::vector<size_t>& under) {
    size_t best = under[0];
    for (const size_t i : under) {
      if (xs[i] > xs[best]) best = i;
      mean[o] += xs[i] / static_cast<double>(under.size());
      dmean[i] += dys[o] / static_cast<double>(under.size());
    }
    max[o] = xs[best];
    dmax[best] += dys[o];
  });
  const AttrMap attrs = Attrs(c, kDTypeOf<T>, false);
  const Tensor y = Checked({"MaxPool", attrs, {x}, {}}, -1);
  CHECK(Error(ToDouble<T>(y), max) == 0);
  const Tensor dx = Checked({"MaxPoolGrad", attrs, {x, y, dy}, {}}, -1);
  CHECK(Error(ToDouble<T>(dx), dmax) < 4 * Tolerance<T>(9));
  const Tensor average = Checked({"AvgPool", attrs, {x}, {}}, -1);
  CHECK(Error(ToDouble<T>(average), mean) < Tolerance<T>(9));
  std::vector<int32_t> sizes;
  for (const int64_t d : image.dims()) sizes.push_back(static_cast<int32_t>(d));
  CHECK(Error(ToDouble<T>(Checked({"AvgPoolGrad", attrs, {Tensor::Of<int32_t>({4}, sizes), dy}, {}}, -1)), dmean) <
        4 * Tolerance<T>(9));
  if constexpr (std::is_same_v<T, float>) {
    const AttrMap planar = Attrs(c, DType::kFloat, true);
    CHECK(SameBits(Checked({"MaxPool", planar, {ToNchw(x)}, {}}, -1), ToNchw(y)));
    CHECK(SameBits(Checked({"MaxPoolGrad", planar, {ToNchw(x), ToNchw(y), ToNchw(dy)}, {}}, -1), ToNchw(dx)));
    CHECK(SameBits(Checked({"AvgPool", planar, {ToNchw(x)}, {}}, -1), ToNchw(average)));
  }
}

TEST_CASE("pooling and its gradients agree with double and have the same bits everywhere") {
  std::mt19937 rng(21);
  for (int i = 0; i < 25; ++i) Check<float>(rng, RandomCase(rng));
  for (int i = 0; i < 4; ++i) {
    Check<double>(rng, RandomCase(rng));
    Check<Half>(rng, RandomCase(rng));
    Check<BFloat16>(rng, RandomCase(rng));
  }
}

TEST_CASE("MaxPool does not choose NaN, and the first of equals gets the gradient") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const AttrMap attrs{
      {"T", DType::kFloat}, {"ksize", Ints({1, 1, 2, 1})}, {"strides", Ints({1, 1, 2, 1})}, {"padding", "VALID"}};
  const Tensor x = Tensor::Of<float>({1, 1, 4, 1}, {nan, 1, 2, 2});
  const Tensor y = Only({"MaxPool", attrs, {x}, {}});
  CHECK(ToDouble<float>(y) == Values{1, 2});
  const Tensor dy = Tensor::Of<float>({1, 1, 2, 1}, {5, 7});
  CHECK(ToDouble<float>(Only({"MaxPoolGrad", attrs, {x, y, dy}, {}}))[2] == 7);
  const std::vector<Tensor> both = All({"MaxPoolWithArgmax", attrs, {x}, {}});
  CHECK(both[1].elements<int64_t>()[1] == 2);
}

TEST_CASE("max pooling has the same bits a vector of channels at a time and channel by channel") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float values[] = {nan, -0.0f, 0.0f, 1, 1, 2, -3};
  std::mt19937 rng(22);
  const auto some = [&](const Shape& shape) {
    std::vector<float> v(static_cast<size_t>(*shape.NumElements()));
    for (float& x : v) x = values[Pick(rng, 0, 6)];
    return Tensor::Of<float>(shape, v);
  };
  for (int i = 0; i < 40; ++i) {
    Case c = RandomCase(rng);
    c.channels = 8 + c.channels % 12;
    const Tensor x = some({c.batch, c.in[0], c.in[1], c.channels}),
                 dy = some({c.batch, c.out[0], c.out[1], c.channels});
    const AttrMap attrs = Attrs(c, DType::kFloat, false), planar = Attrs(c, DType::kFloat, true);
    INFO(x.shape().ToString() << " window " << c.window[0] << "x" << c.window[1] << " stride " << c.stride[0] << ","
                              << c.stride[1] << (c.same ? " SAME" : " VALID"));
    const Tensor y = Only({"MaxPool", attrs, {x}, {}});
    CHECK(SameBits(ToNchw(y), Only({"MaxPool", planar, {ToNchw(x)}, {}})));
    CHECK(SameBits(ToNchw(Only({"MaxPoolGrad", attrs, {x, y, dy}, {}})),
                   Only({"MaxPoolGrad", planar, {ToNchw(x), ToNchw(y), ToNchw(dy)}, {}})));
  }
}

// Small integers, whose sums no type here rounds or wraps.
template <typename T>
void CheckIntegers(std::mt19937& rng, const Case& c) {
  const Shape image{c.batch, c.in[0], c.in[1], c.channels}, pooled{c.batch, c.out[0], c.out[1], c.channels};
  INFO(DTypeName(kDTypeOf<T>) << " " << image.ToString() << " window " << c.window[0] << "x" << c.window[1]);
  const auto both = [&](const Shape& shape) {
    std::vector<T> v(static_cast<size_t>(*shape.NumElements()));
    for (T& x : v) x = static_cast<T>(Pick(rng, 0, 7));
    return std::pair(Tensor::Of<T>(shape, v), Tensor::Of<double>(shape, std::vector<double>(v.begin(), v.end())));
  };
  const auto [x, wide_x] = both(image);
  const auto [dy, wide_dy] = both(pooled);
  const AttrMap attrs = Attrs(c, kDTypeOf<T>, false), wide = Attrs(c, DType::kDouble, false);
  const Tensor y = Checked({"MaxPool", attrs, {x}, {}}, -1), wide_y = Only({"MaxPool", wide, {wide_x}, {}});
  CHECK(ToDouble<T>(y) == ToDouble<double>(wide_y));
  CHECK(ToDouble<T>(Checked({"MaxPoolGrad", attrs, {x, y, dy}, {}}, -1)) ==
        ToDouble<double>(Only({"MaxPoolGrad", wide, {wide_x, wide_y, wide_dy}, {}})));
}

TEST_CASE("max pooling of integers is that of double") {
  std::mt19937 rng(23);
  for (int i = 0; i < 6; ++i) {
    const Case c = RandomCase(rng);
    CheckIntegers<uint8_t>(rng, c);
    CheckIntegers<int16_t>(rng, c);
    CheckIntegers<int64_t>(rng, c);
  }
}

TEST_CASE("MaxPool over the channels takes groups of them") {
  const Tensor y = Only(
      {"MaxPool",
       {{"T", DType::kFloat}, {"ksize", Ints({1, 1, 1, 2})}, {"strides", Ints({1, 1, 1, 2})}, {"padding", "VALID"}},
       {Tensor::Of<float>({1, 1, 1, 4}, {1, 3, 2, -1})},
       {}});
  CHECK(ToDouble<float>(y) == Values{3, 2});
}

TEST_CASE("MaxPoolV2 takes window and stride as operands") {
  const Tensor y = Only({"MaxPoolV2",
                         {{"T", DType::kFloat}, {"padding", "VALID"}},
                         {Tensor::Of<float>({1, 1, 4, 1}, {1, 3, 2, -1}), Tensor::Of<int32_t>({4}, {1, 1, 2, 1}),
                          Tensor::Of<int32_t>({4}, {1, 1, 2, 1})},
                         {}});
  CHECK(ToDouble<float>(y) == Values{3, 2});
}

}  // namespace
}  // namespace millrace
