// Matrix products and convolutions against naive loops, and the promise of equal
// bits.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "millrace/proto/value/strings.h"
#include "millrace/tests/ops/nn_check.h"
#include "millrace/tests/ops/nn_reference.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

using reference::Conv;
using reference::Random;
using reference::ToDouble;
using reference::Values;

template <typename T>
void CheckMatMul(std::mt19937& rng, int64_t m, int64_t n, int64_t k, bool ta, bool tb) {
  INFO(DTypeName(kDTypeOf<T>) << " " << m << " x " << k << " x " << n << (ta ? " a transposed" : "")
                              << (tb ? " b transposed" : ""));
  const Tensor a = Random<T>(rng, ta ? Shape{k, m} : Shape{m, k}), b = Random<T>(rng, tb ? Shape{n, k} : Shape{k, n});
  OpCall call{"MatMul", {{"T", kDTypeOf<T>}, {"transpose_a", ta}, {"transpose_b", tb}}, {a, b}, {}};
  const Tensor c = Checked(call);
  REQUIRE(c.shape() == Shape{m, n});
  CHECK(Error(ToDouble<T>(c), reference::MatMul(ToDouble<T>(a), ToDouble<T>(b), m, n, k, ta, tb)) < Tolerance<T>(k));
}

TEST_CASE("MatMul agrees with double at odd sizes and has the same bits everywhere") {
  std::mt19937 rng(1);
  for (int i = 0; i < 60; ++i) {
    const int64_t largest = i % 3 == 0 ? 8 : 150;
    CheckMatMul<float>(rng, Pick(rng, 1, largest), Pick(rng, 1, largest), Pick(rng, 1, largest), i & 1, i & 2);
  }
  // One row, one column, tall, wide, deep enough for several blocks along k, and
  // rows a multiple of a page apart.
  for (const auto& [m, n, k] : std::vector<std::array<int64_t, 3>>{{1, 300, 700},
                                                                   {300, 1, 64},
                                                                   {2, 257, 1000},
                                                                   {3, 129, 33},
                                                                   {230, 70, 1000},
                                                                   {15, 520, 600},
                                                                   {40, 96, 1024}}) {
    for (const int t : {0, 1, 2, 3}) CheckMatMul<float>(rng, m, n, k, t & 1, t & 2);
  }
}

TEST_CASE("MatMul of the other types agrees with double") {
  std::mt19937 rng(2);
  for (int i = 0; i < 12; ++i) {
    const int64_t m = Pick(rng, 1, 40), n = Pick(rng, 1, 70), k = Pick(rng, 1, 60);
    CheckMatMul<double>(rng, m, n, k, i & 1, i & 2);
    CheckMatMul<Half>(rng, m, n, k, i & 1, i & 2);
    CheckMatMul<BFloat16>(rng, m, n, k, i & 1, i & 2);
  }
  const Tensor a = Tensor::Of<int32_t>({2, 2}, {1 << 30, 3, 4, 5}), b = Tensor::Of<int32_t>({2, 1}, {4, 7});
  const Tensor c = Only({"MatMul", {{"T", DType::kInt32}}, {a, b}, {}});
  CHECK(c.elements<int32_t>()[0] == 21);  // wraps
  CHECK(c.elements<int32_t>()[1] == 51);
}

TEST_CASE("a product over no terms is zero, and empty products are empty") {
  const Tensor zero =
      Only({"MatMul", {{"T", DType::kFloat}}, {Tensor::Of<float>({2, 0}, {}), Tensor::Of<float>({0, 3}, {})}, {}});
  CHECK(ToDouble<float>(zero) == Values(6, 0.0));
  CHECK(Only({"MatMul",
              {{"T", DType::kFloat}},
              {Tensor::Of<float>({0, 2}, {}), Tensor::Of<float>({2, 3}, {1, 2, 3, 4, 5, 6})},
              {}})
            .shape() == Shape{0, 3});
}

TEST_CASE("MatMul refuses inner dimensions that differ and names both") {
  const auto r = RunOp(
      Registry::BuiltIn(),
      {"MatMul", {{"T", DType::kFloat}}, {Tensor::Of<float>({1, 2}, {1, 2}), Tensor::Of<float>({1, 2}, {1, 2})}, {}});
  REQUIRE(!r.ok());
  CHECK(r.status().code() == Code::kInvalidArgument);
  CHECK(r.status().message().find("[1,2]") != std::string::npos);
}

TEST_CASE("BatchMatMulV2 broadcasts its leading dimensions") {
  std::mt19937 rng(3);
  const Tensor x = Random<float>(rng, {3, 1, 5, 7}), y = Random<float>(rng, {4, 9, 7});
  const Tensor out = Checked({"BatchMatMulV2", {{"T", DType::kFloat}, {"adj_y", true}}, {x, y}, {}});
  REQUIRE(out.shape() == Shape{3, 4, 5, 9});
  const Values xs = ToDouble<float>(x), ys = ToDouble<float>(y), found = ToDouble<float>(out);
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 4; ++j) {
      const Values one =
          reference::MatMul(Values(xs.begin() + 35 * static_cast<long>(i), xs.end()),
                            Values(ys.begin() + 63 * static_cast<long>(j), ys.end()), 5, 9, 7, false, true);
      const auto at = found.begin() + static_cast<long>((i * 4 + j) * 45);
      CHECK(Error(Values(at, at + 45), one) < 1e-6);
    }
  }
  // One matrix for all batches takes another way.
  const Tensor shared = Random<float>(rng, {7, 6});
  CHECK(Checked({"BatchMatMulV2", {{"T", DType::kFloat}}, {x, shared}, {}}).shape() == Shape{3, 1, 5, 6});
}

TEST_CASE("_FusedMatMul adds bias and residual and applies the activation") {
  std::mt19937 rng(4);
  const Tensor a = Random<float>(rng, {19, 33}), b = Random<float>(rng, {33, 45}), bias = Random<float>(rng, {45}),
               residual = Random<float>(rng, {19, 45});
  const Values plain = reference::MatMul(ToDouble<float>(a), ToDouble<float>(b), 19, 45, 33, false, false);
  const Values bs = ToDouble<float>(bias), rs = ToDouble<float>(residual);
  const auto check = [&](std::vector<std::string> ops, const std::function<double(double)>& f) {
    const bool biased = ops[0] == "BiasAdd", add = ops.size() > 1 && ops[1] == "Add";
    INFO(Join(ops, ","));
    OpCall call{"_FusedMatMul", {{"T", DType::kFloat}, {"fused_ops", Strings(ops)}}, {a, b}, {}};
    if (biased) call.inputs.push_back(bias);
    if (add) call.inputs.push_back(residual);
    call.attrs["num_args"] = static_cast<int64_t>(call.inputs.size() - 2);
    Values expected = plain;
    for (size_t i = 0; i < expected.size(); ++i) {
      expected[i] = f(expected[i] + (biased ? bs[i % 45] : 0) + (add ? rs[i] : 0));
    }
    CHECK(Error(ToDouble<float>(Checked(call)), expected) < 1e-6);
  };
  check({"BiasAdd"}, [](double v) { return v; });
  check({"BiasAdd", "Relu"}, [](double v) { return std::max(v, 0.0); });
  check({"BiasAdd", "Relu6"}, [](double v) { return std::min(std::max(v, 0.0), 6.0); });
  check({"BiasAdd", "Add", "Relu"}, [](double v) { return std::max(v, 0.0); });
  check({"BiasAdd", "LeakyRelu"}, [](double v) { return v > 0 ? v : static_cast<double>(0.2f) * v; });
  check({"BiasAdd", "Elu"}, [](double v) { return v > 0 ? v : std::expm1(v); });
  check({"BiasAdd", "Tanh"}, [](double v) { return std::tanh(v); });
  check({"BiasAdd", "Sigmoid"}, [](double v) { return 1 / (1 + std::exp(-v)); });
  check({"Relu"}, [](double v) { return std::max(v, 0.0); });
  check({"Tanh"}, [](double v) { return std::tanh(v); });
}

template <typename T>
void CheckConv(std::mt19937& rng, const Conv& c, const std::string& padding, std::vector<int64_t> explicit_pads) {
  INFO(DTypeName(kDTypeOf<T>) << " image " << c.batch << "x" << c.in[0] << "x" << c.in[1] << "x" << c.channels
                              << " window " << c.window[0] << "x" << c.window[1] << "x" << c.filter_channels << "x"
                              << c.out_channels << " stride " << c.stride[0] << "," << c.stride[1] << " dilation "
                              << c.dilation[0] << "," << c.dilation[1] << " " << padding);
  const Tensor x = Random<T>(rng, {c.batch, c.in[0], c.in[1], c.channels});
  const Tensor w = Random<T>(rng, {c.window[0], c.window[1], c.filter_channels, c.out_channels});
  OpCall call{"Conv2D",
              {{"T", kDTypeOf<T>},
               {"strides", Ints({1, c.stride[0], c.stride[1], 1})},
               {"dilations", Ints({1, c.dilation[0], c.dilation[1], 1})},
               {"padding", padding},
               {"explicit_paddings", Ints(explicit_pads)}},
              {x, w},
              {}};
  const Tensor y = Checked(call);
  REQUIRE(y.shape() == Shape{c.batch, c.out[0], c.out[1], c.out_channels});
  const int64_t depth = c.window[0] * c.window[1] * c.filter_channels;
  CHECK(Error(ToDouble<T>(y), reference::Convolve(c, ToDouble<T>(x), ToDouble<T>(w))) < Tolerance<T>(depth));

  const Tensor dy = Random<T>(rng, {c.batch, c.out[0], c.out[1], c.out_channels});
  const auto sizes = [](const Tensor& t) {
    return Tensor::Of<int32_t>({4}, std::vector<int32_t>(t.shape().dims().begin(), t.shape().dims().end()));
  };
  OpCall by_input{"Conv2DBackpropInput", call.attrs, {sizes(x), w, dy}, {}};
  OpCall by_filter{"Conv2DBackpropFilter", call.attrs, {x, sizes(w), dy}, {}};
  Values dx(static_cast<size_t>(x.num_elements())), dw(static_cast<size_t>(w.num_elements()));
  reference::ConvolveGradients(c, ToDouble<T>(x), ToDouble<T>(w), ToDouble<T>(dy), &dx, &dw);
  const Tensor found_dx = Checked(by_input), found_dw = Checked(by_filter);
  REQUIRE(found_dx.shape() == x.shape());
  REQUIRE(found_dw.shape() == w.shape());
  CHECK(Error(ToDouble<T>(found_dx), dx) < 2 * Tolerance<T>(depth * c.out_channels));
  CHECK(Error(ToDouble<T>(found_dw), dw) < 2 * Tolerance<T>(c.batch * c.out[0] * c.out[1]));
  if constexpr (std::is_same_v<T, float>) {
    call.inputs[0] = ToNchw(x);
    call.attrs["data_format"] = "NCHW";
    call.attrs["strides"] = Ints({1, 1, c.stride[0], c.stride[1]});
    call.attrs["dilations"] = Ints({1, 1, c.dilation[0], c.dilation[1]});
    if (!explicit_pads.empty()) {
      std::rotate(explicit_pads.begin() + 2, explicit_pads.begin() + 6, explicit_pads.end());
      call.attrs["explicit_paddings"] = Ints(explicit_pads);
    }
    CHECK(SameBits(Checked(call), ToNchw(y)));
    by_input.attrs = by_filter.attrs = call.attrs;
    by_input.inputs = {sizes(ToNchw(x)), w, ToNchw(dy)};
    by_filter.inputs = {ToNchw(x), sizes(w), ToNchw(dy)};
    CHECK(SameBits(Checked(by_input), ToNchw(found_dx)));
    CHECK(SameBits(Checked(by_filter), found_dw));
  }
}

template <typename T>
void RandomConv(std::mt19937& rng) {
  Conv c;
  c.batch = Pick(rng, 1, 3);
  const int64_t groups = Pick(rng, 0, 3) == 0 ? 2 : 1;
  c.filter_channels = Pick(rng, 0, 1) ? Pick(rng, 1, 4) : Pick(rng, 1, 40);
  c.channels = groups * c.filter_channels;
  c.out_channels = groups * Pick(rng, 1, 40);
  const std::string padding =
      std::vector<std::string>{"SAME", "VALID", "EXPLICIT"}[static_cast<size_t>(Pick(rng, 0, 2))];
  std::vector<int64_t> pads;
  if (padding == "EXPLICIT") pads.assign(8, 0);
  for (int i = 0; i < 2; ++i) {
    c.window[i] = Pick(rng, 1, 4);
    c.stride[i] = Pick(rng, 1, 3);
    c.dilation[i] = Pick(rng, 0, 2) == 0 ? 2 : 1;
    const int64_t span = (c.window[i] - 1) * c.dilation[i] + 1;
    c.in[i] = Pick(rng, span, 20);
    int64_t before = 0, after = 0;
    if (padding == "EXPLICIT") {
      before = pads[static_cast<size_t>(2 + 2 * i)] = Pick(rng, 0, 3);
      after = pads[static_cast<size_t>(3 + 2 * i)] = Pick(rng, 0, 3);
    }
    if (padding == "SAME") {
      c.out[i] = (c.in[i] + c.stride[i] - 1) / c.stride[i];
      before = std::max<int64_t>(0, (c.out[i] - 1) * c.stride[i] + span - c.in[i]) / 2;
    } else {
      c.out[i] = (c.in[i] + before + after - span) / c.stride[i] + 1;
    }
    c.pad[i] = before;
  }
  CheckConv<T>(rng, c, padding, pads);
}

TEST_CASE("a fused Relu gives the zero that the separate one gives") {
  for (const char* relu : {"Relu", "Relu6"}) {
    OpCall call{"_FusedMatMul", {}, {}, {}};
    // A product that underflows to -0, and a bias of -0.
    call.inputs = {Tensor::Of<float>(Shape({1, 1}), {-1e-30f}), Tensor::Of<float>(Shape({1, 1}), {1e-30f}),
                   Tensor::Of<float>(Shape({1}), {-0.0f})};
    call.attrs = {{"T", DType::kFloat}, {"num_args", 1}, {"fused_ops", Strings({"BiasAdd", relu})}};
    const float value = Checked(call).elements<float>()[0];
    CHECK(value == 0.0f);
    CHECK(!std::signbit(value));
  }
}

TEST_CASE("Conv2D agrees with double for random windows, strides, dilations, paddings and groups") {
  std::mt19937 rng(5);
  for (int i = 0; i < 60; ++i) RandomConv<float>(rng);
}
TEST_CASE("Conv2D of the other types agrees with double") {
  std::mt19937 rng(6);
  for (int i = 0; i < 8; ++i) {
    RandomConv<double>(rng);
    RandomConv<Half>(rng);
    RandomConv<BFloat16>(rng);
  }
}
TEST_CASE("Conv2D agrees with double at the sizes of networks") {
  std::mt19937 rng(7);
  CheckConv<float>(rng, {1, {28, 28}, 64, {3, 3}, 64, 96, {28, 28}, {1, 1}, {1, 1}, {1, 1}}, "SAME", {});
  CheckConv<float>(rng, {1, {7, 7}, 160, {3, 3}, 160, 130, {7, 7}, {1, 1}, {1, 1}, {1, 1}}, "SAME", {});
  CheckConv<float>(rng, {1, {57, 57}, 3, {7, 7}, 3, 64, {29, 29}, {2, 2}, {1, 1}, {3, 3}}, "SAME", {});
  CheckConv<float>(rng, {2, {14, 14}, 96, {1, 1}, 96, 24, {14, 14}, {1, 1}, {1, 1}, {0, 0}}, "SAME", {});
  CheckConv<float>(rng, {1, {56, 56}, 24, {1, 1}, 24, 48, {28, 28}, {2, 2}, {1, 1}, {0, 0}}, "VALID", {});
}

TEST_CASE("gradients of Conv2D agree with double over images that are cut into bands") {
  std::mt19937 rng(8);
  // Of some channels, and of a few, whose taps are copied out; the last band is smaller.
  CheckConv<float>(rng, {2, {41, 40}, 30, {3, 3}, 30, 70, {41, 40}, {1, 1}, {1, 1}, {1, 1}}, "SAME", {});
  CheckConv<float>(rng, {2, {71, 37}, 8, {5, 3}, 2, 40, {36, 37}, {2, 1}, {1, 1}, {2, 1}}, "SAME", {});
  CheckConv<double>(rng, {1, {61, 31}, 1, {3, 3}, 1, 20, {57, 27}, {1, 1}, {2, 2}, {0, 0}}, "VALID", {});
}

TEST_CASE("an image without elements gives a result without elements") {
  const Tensor y = Only({"Conv2D",
                         {{"T", DType::kFloat}, {"strides", Ints({1, 1, 1, 1})}, {"padding", "SAME"}},
                         {Tensor::Of<float>({0, 4, 4, 1}, {}), Tensor::Of<float>({1, 1, 1, 2}, {1, 2})},
                         {}});
  CHECK(y.shape() == Shape{0, 4, 4, 2});
}

TEST_CASE("Conv2D refuses a window that does not fit and channels that do not divide") {
  const OpCall call{"Conv2D",
                    {{"T", DType::kFloat}, {"strides", Ints({1, 1, 1, 1})}, {"padding", "VALID"}},
                    {Tensor::Of<float>({1, 1, 4, 1}, {1, 2, 3, 4}), Tensor::Of<float>({3, 1, 1, 1}, {1, 2, 3})},
                    {}};
  const auto r = RunOp(Registry::BuiltIn(), call);
  REQUIRE(!r.ok());
  CHECK(r.status().code() == Code::kInvalidArgument);
}

TEST_CASE("_FusedConv2D adds bias and residual and applies the activation") {
  std::mt19937 rng(8);
  const Conv c{2, {9, 11}, 5, {3, 3}, 5, 37, {9, 11}, {1, 1}, {1, 1}, {1, 1}};
  const Tensor x = Random<float>(rng, {2, 9, 11, 5}), w = Random<float>(rng, {3, 3, 5, 37}),
               bias = Random<float>(rng, {37}), residual = Random<float>(rng, {2, 9, 11, 37});
  Values expected = reference::Convolve(c, ToDouble<float>(x), ToDouble<float>(w));
  const Values bs = ToDouble<float>(bias), rs = ToDouble<float>(residual);
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = std::max(0.0, expected[i] + bs[i % 37] + rs[i]);
  OpCall call{"_FusedConv2D",
              {{"T", DType::kFloat},
               {"num_args", 2},
               {"fused_ops", Strings({"BiasAdd", "Add", "Relu"})},
               {"strides", Ints({1, 1, 1, 1})},
               {"padding", "SAME"}},
              {x, w, bias, residual},
              {}};
  const Tensor y = Checked(call);
  CHECK(Error(ToDouble<float>(y), expected) < 1e-6);
  call.attrs["data_format"] = "NCHW";
  call.inputs[0] = ToNchw(x);
  call.inputs[3] = ToNchw(residual);
  CHECK(SameBits(Checked(call), ToNchw(y)));
}

}  // namespace
}  // namespace millrace
