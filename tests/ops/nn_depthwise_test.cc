// Depthwise convolutions and their gradients against naive loops.
#include "millrace/tests/ops/nn_check.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

using reference::Random;
using reference::ToDouble;
using reference::Values;

struct Case {
  int64_t batch, channels, multiplier, in[2], window[2], stride[2], dilation[2], out[2], pad[2];
  bool same;
  Shape Image() const { return {batch, in[0], in[1], channels}; }
  Shape Filter() const { return {window[0], window[1], channels, multiplier}; }
  Shape Result() const { return {batch, out[0], out[1], channels * multiplier}; }
};

Case RandomCase(std::mt19937& rng) {
  Case c;
  c.batch = Pick(rng, 1, 3);
  c.channels = Pick(rng, 1, 70);
  c.multiplier = Pick(rng, 0, 3) == 0 ? Pick(rng, 2, 3) : 1;
  c.same = Pick(rng, 0, 1);
  for (int i = 0; i < 2; ++i) {
    c.window[i] = Pick(rng, 0, 1) ? 3 : Pick(rng, 1, 5);
    c.stride[i] = Pick(rng, 1, 3);
    c.dilation[i] = Pick(rng, 0, 3) == 0 ? 2 : 1;
    const int64_t span = (c.window[i] - 1) * c.dilation[i] + 1;
    c.in[i] = Pick(rng, c.same ? 1 : span, 24);
    c.in[i] = std::max(c.in[i], c.same ? int64_t{1} : span);
    c.out[i] = c.same ? (c.in[i] + c.stride[i] - 1) / c.stride[i] : (c.in[i] - span) / c.stride[i] + 1;
    c.pad[i] = c.same ? std::max<int64_t>(0, (c.out[i] - 1) * c.stride[i] + span - c.in[i]) / 2 : 0;
  }
  return c;
}

// Calls f(image element, filter element, result element) for every product.
template <typename F>
void ForEachProduct(const Case& c, const F& f) {
  for (int64_t n = 0; n < c.batch; ++n) {
    for (int64_t oy = 0; oy < c.out[0]; ++oy) {
      for (int64_t ox = 0; ox < c.out[1]; ++ox) {
        for (int64_t ky = 0; ky < c.window[0]; ++ky) {
          for (int64_t kx = 0; kx < c.window[1]; ++kx) {
            const int64_t iy = oy * c.stride[0] + ky * c.dilation[0] - c.pad[0];
            const int64_t ix = ox * c.stride[1] + kx * c.dilation[1] - c.pad[1];
            if (iy < 0 || ix < 0 || iy >= c.in[0] || ix >= c.in[1]) continue;
            for (int64_t m = 0; m < c.channels * c.multiplier; ++m) {
              f(static_cast<size_t>(((n * c.in[0] + iy) * c.in[1] + ix) * c.channels + m / c.multiplier),
                static_cast<size_t>((ky * c.window[1] + kx) * c.channels * c.multiplier + m),
                static_cast<size_t>(((n * c.out[0] + oy) * c.out[1] + ox) * c.channels * c.multiplier + m));
            }
          }
        }
      }
    }
  }
}

AttrMap Attrs(const Case& c, DType type, bool nchw) {
  const auto four = [&](const int64_t (&v)[2]) { return nchw ? Ints({1, 1, v[0], v[1]}) : Ints({1, v[0], v[1], 1}); };
  return {{"T", type},
          {"strides", four(c.stride)},
          {"dilations", four(c.dilation)},
          {"padding", c.same ? "SAME" : "VALID"},
          {"data_format", nchw ? "NCHW" : "NHWC"}};
}

Tensor Sizes(const Shape& shape) {
  std::vector<int32_t> v;
  for (const int64_t d : shape.dims()) v.push_back(static_cast<int32_t>(d));
  return Tensor::Of<int32_t>({4}, v);
}

template <typename T>
void Check(std::mt19937& rng, const Case& c) {
  INFO(DTypeName(kDTypeOf<T>) << " image " << c.Image().ToString() << " filter " << c.Filter().ToString() << " stride "
                              << c.stride[0] << "," << c.stride[1] << " dilation " << c.dilation[0] << ","
                              << c.dilation[1] << (c.same ? " SAME" : " VALID"));
  const Tensor x = Random<T>(rng, c.Image()), w = Random<T>(rng, c.Filter()), dy = Random<T>(rng, c.Result());
  const Values xs = ToDouble<T>(x), ws = ToDouble<T>(w), dys = ToDouble<T>(dy);
  Values y(dys.size()), dx(xs.size()), dw(ws.size());
  ForEachProduct(c, [&](size_t i, size_t k, size_t o) {
    y[o] += xs[i] * ws[k];
    dx[i] += dys[o] * ws[k];
    dw[k] += dys[o] * xs[i];
  });
  const OpCall forward{"DepthwiseConv2dNative", Attrs(c, kDTypeOf<T>, false), {x, w}, {}};
  const OpCall by_input{
      "DepthwiseConv2dNativeBackpropInput", Attrs(c, kDTypeOf<T>, false), {Sizes(c.Image()), w, dy}, {}};
  const OpCall by_filter{
      "DepthwiseConv2dNativeBackpropFilter", Attrs(c, kDTypeOf<T>, false), {x, Sizes(c.Filter()), dy}, {}};
  const Tensor found = Checked(forward);
  REQUIRE(found.shape() == c.Result());
  CHECK(Error(ToDouble<T>(found), y) < Tolerance<T>(25));
  if constexpr (std::is_same_v<T, float>) {
    CHECK(SameBits(Checked({forward.op, Attrs(c, DType::kFloat, true), {ToNchw(x), w}, {}}), ToNchw(found)));
  }
  if (c.dilation[0] != 1 || c.dilation[1] != 1) return;  // the gradients take no notice of it
  const Tensor found_dx = Checked(by_input), found_dw = Checked(by_filter);
  REQUIRE(found_dx.shape() == c.Image());
  REQUIRE(found_dw.shape() == c.Filter());
  CHECK(Error(ToDouble<T>(found_dx), dx) < Tolerance<T>(25));
  CHECK(Error(ToDouble<T>(found_dw), dw) < Tolerance<T>(c.batch * c.out[0] * c.out[1]));
  if constexpr (std::is_same_v<T, float>) {
    const AttrMap attrs = Attrs(c, DType::kFloat, true);
    const Tensor x2 = ToNchw(x), dy2 = ToNchw(dy);
    CHECK(SameBits(Checked({by_input.op, attrs, {Sizes(x2.shape()), w, dy2}, {}}), ToNchw(found_dx)));
    CHECK(SameBits(Checked({by_filter.op, attrs, {x2, Sizes(c.Filter()), dy2}, {}}), found_dw));
  }
}

TEST_CASE("depthwise convolutions and their gradients agree with double and have the same bits everywhere") {
  std::mt19937 rng(11);
  for (int i = 0; i < 60; ++i) Check<float>(rng, RandomCase(rng));
  for (int i = 0; i < 5; ++i) {
    Check<double>(rng, RandomCase(rng));
    Check<Half>(rng, RandomCase(rng));
    Check<BFloat16>(rng, RandomCase(rng));
  }
}

TEST_CASE("_FusedDepthwiseConv2dNative adds the bias and applies the activation") {
  std::mt19937 rng(12);
  const Tensor x = Random<float>(rng, {1, 12, 13, 20}), w = Random<float>(rng, {3, 3, 20, 1}),
               bias = Random<float>(rng, {20});
  AttrMap attrs{{"T", DType::kFloat}, {"strides", Ints({1, 1, 1, 1})}, {"padding", "SAME"}};
  Values expected = ToDouble<float>(Only({"DepthwiseConv2dNative", attrs, {x, w}, {}}));
  for (size_t i = 0; i < expected.size(); ++i) {
    expected[i] = std::min(6.0, std::max(0.0, expected[i] + static_cast<double>(bias.elements<float>()[i % 20])));
  }
  attrs["num_args"] = 1;
  attrs["fused_ops"] = Strings({"BiasAdd", "Relu6"});
  CHECK(Error(ToDouble<float>(Checked({"_FusedDepthwiseConv2dNative", attrs, {x, w, bias}, {}})), expected) < 1e-6);
}

TEST_CASE("the gradients of a depthwise convolution take no notice of dilations") {
  std::mt19937 rng(13);
  const Tensor w = Random<float>(rng, {3, 3, 2, 1}), dy = Random<float>(rng, {1, 8, 8, 2});
  AttrMap attrs{{"T", DType::kFloat}, {"strides", Ints({1, 1, 1, 1})}, {"padding", "SAME"}};
  const OpCall plain{"DepthwiseConv2dNativeBackpropInput", attrs, {Sizes({1, 8, 8, 2}), w, dy}, {}};
  OpCall dilated = plain;
  dilated.attrs["dilations"] = Ints({1, 2, 2, 1});
  CHECK(SameBits(Only(plain), Only(dilated)));
}

TEST_CASE("a gradient whose shape does not fit the forward convolution is refused") {
  const AttrMap attrs{{"T", DType::kFloat}, {"strides", Ints({1, 1, 1, 1})}, {"padding", "VALID"}};
  const auto r = RunOp(Registry::BuiltIn(),
                       {"DepthwiseConv2dNativeBackpropInput",
                        attrs,
                        {Tensor::Of<int32_t>({4}, {1, 3, 3, 1}), Tensor::Of<float>({2, 2, 1, 1}, {1, 2, 3, 4}),
                         Tensor::Of<float>({1, 3, 3, 1}, std::vector<float>(9))},
                        {}});
  REQUIRE(!r.ok());
  CHECK(r.status().code() == Code::kInvalidArgument);
}

}  // namespace
}  // namespace millrace
