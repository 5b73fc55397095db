// Softmax, the losses on it, batch normalisation, LRN and L2Loss against double.
#include <limits>

#include "millrace/tests/ops/nn_check.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

using reference::Random;
using reference::ToDouble;
using reference::Values;

template <typename T>
void CheckSoftmax(std::mt19937& rng, int64_t rows, int64_t columns) {
  INFO(DTypeName(kDTypeOf<T>) << " " << rows << "x" << columns);
  const Tensor x = Random<T>(rng, {rows, columns}), labels = Random<T>(rng, {rows, columns});
  const Values xs = ToDouble<T>(x), ls = ToDouble<T>(labels);
  Values soft(xs.size()), log_soft(xs.size()), loss(static_cast<size_t>(rows)), back(xs.size()), sparse(loss.size());
  std::vector<int32_t> classes;
  for (size_t r = 0; r < loss.size(); ++r) {
    const size_t n = static_cast<size_t>(columns), at = r * n;
    double sum = 0;
    for (size_t i = at; i < at + n; ++i) sum += std::exp(xs[i]);
    for (size_t i = at; i < at + n; ++i) {
      soft[i] = std::exp(xs[i]) / sum;
      log_soft[i] = xs[i] - std::log(sum);
      loss[r] -= ls[i] * log_soft[i];
      back[i] = soft[i] - ls[i];
    }
    classes.push_back(static_cast<int32_t>(Pick(rng, 0, columns - 1)));
    sparse[r] = -log_soft[at + static_cast<size_t>(classes.back())];
  }
  const AttrMap attrs{{"T", kDTypeOf<T>}};
  CHECK(Error(ToDouble<T>(Checked({"Softmax", attrs, {x}, {}}, -1)), soft) < Tolerance<T>(columns));
  CHECK(Error(ToDouble<T>(Checked({"LogSoftmax", attrs, {x}, {}}, -1)), log_soft) < Tolerance<T>(columns));
  const OpCall dense{"SoftmaxCrossEntropyWithLogits", attrs, {x, labels}, {}};
  CHECK(Error(ToDouble<T>(Checked(dense, -1)), loss) < Tolerance<T>(columns));
  CHECK(Error(ToDouble<T>(All(dense)[1]), back) < Tolerance<T>(columns));
  CHECK(Error(ToDouble<T>(Checked({"SparseSoftmaxCrossEntropyWithLogits",
                                   {{"T", kDTypeOf<T>}, {"Tlabels", DType::kInt32}},
                                   {x, Tensor::Of<int32_t>({rows}, classes)},
                                   {}},
                                  -1)),
              sparse) < Tolerance<T>(columns));
}

TEST_CASE("softmax and the losses on it agree with double and have the same bits everywhere") {
  std::mt19937 rng(31);
  for (const int64_t columns : {2, 3, 10, 16, 17, 100, 1001}) {
    CheckSoftmax<float>(rng, Pick(rng, 1, 60), columns);
    CheckSoftmax<double>(rng, Pick(rng, 1, 6), columns);
    CheckSoftmax<Half>(rng, Pick(rng, 1, 6), columns);
    CheckSoftmax<BFloat16>(rng, Pick(rng, 1, 6), columns);
  }
}

TEST_CASE("softmax stays finite for large logits and keeps NaN to its row") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Values y =
      ToDouble<float>(Only({"Softmax", {{"T", DType::kFloat}}, {Tensor::Of<float>({2, 2}, {1000, 1000, nan, 0})}, {}}));
  CHECK(y[0] == 0.5);
  CHECK(std::isnan(y[2]));
  CHECK(std::isnan(y[3]));
}

TEST_CASE("labels and features broadcast in the cross entropy") {
  const std::vector<Tensor> r = All({"SoftmaxCrossEntropyWithLogits",
                                     {{"T", DType::kFloat}},
                                     {Tensor::Of<float>({1, 2}, {0, 0}), Tensor::Of<float>({3, 1}, {0, 1, 2})},
                                     {}});
  CHECK(r[1].shape() == Shape{3, 2});
  CHECK(ToDouble<float>(r[0])[2] == Approx(4 * std::log(2.0)));
}

TEST_CASE("a class out of range is refused, with its place") {
  const auto r = RunOp(Registry::BuiltIn(), {"SparseSoftmaxCrossEntropyWithLogits",
                                             {{"T", DType::kFloat}},
                                             {Tensor::Of<float>({1, 2}, {0, 0}), Tensor::Of<int64_t>({1}, {2})},
                                             {}});
  REQUIRE(!r.ok());
  CHECK(r.status().code() == Code::kInvalidArgument);
}

TEST_CASE("batch normalisation agrees with double, in inference and in training, in both layouts") {
  std::mt19937 rng(32);
  for (int round = 0; round < 6; ++round) {
    const int64_t n = Pick(rng, 1, 3), h = Pick(rng, 1, 20), w = Pick(rng, 2, 20), c = Pick(rng, 1, 40);
    const bool training = round % 2;
    const Tensor x = Random<float>(rng, {n, h, w, c}), scale = Random<float>(rng, {c}),
                 offset = Random<float>(rng, {c});
    std::vector<float> means, variances;
    for (int64_t i = 0; i < c; ++i) means.push_back(0.1f), variances.push_back(0.5f + 0.01f * static_cast<float>(i));
    Tensor mean = Tensor::Of<float>({c}, means), variance = Tensor::Of<float>({c}, variances);
    if (training) mean = variance = Tensor::Of<float>({0}, {});
    const Values xs = ToDouble<float>(x), ss = ToDouble<float>(scale), os = ToDouble<float>(offset);
    Values y(xs.size()), used_mean(means.begin(), means.end()), used_var(variances.begin(), variances.end());
    const size_t channels = static_cast<size_t>(c);
    const double count = static_cast<double>(n * h * w);
    if (training) {
      used_mean.assign(channels, 0), used_var.assign(channels, 0);
      for (size_t i = 0; i < xs.size(); ++i) used_mean[i % channels] += xs[i] / count;
      for (size_t i = 0; i < xs.size(); ++i)
        used_var[i % channels] += std::pow(xs[i] - used_mean[i % channels], 2) / count;
    }
    for (size_t i = 0; i < xs.size(); ++i) {
      const size_t ch = i % channels;
      y[i] = (xs[i] - used_mean[ch]) * ss[ch] / std::sqrt(used_var[ch] + 1e-3) + os[ch];
    }
    AttrMap attrs{{"T", DType::kFloat}, {"U", DType::kFloat}, {"epsilon", 1e-3f}, {"is_training", training}};
    OpCall call{"FusedBatchNormV3", attrs, {x, scale, offset, mean, variance}, {}};
    const Tensor found = Checked(call, -1);
    CHECK(Error(ToDouble<float>(found), y) < 1e-5);
    const std::vector<Tensor> all = All(call);
    if (training) {
      CHECK(Error(ToDouble<float>(all[1]), used_mean) < 1e-5);
      Values unbiased = used_var;
      for (double& v : unbiased) v *= count / (count - 1);
      CHECK(Error(ToDouble<float>(all[2]), unbiased) < 1e-5);
    }
    call.attrs["data_format"] = "NCHW";
    call.inputs[0] = ToNchw(x);
    CHECK(Error(ToDouble<float>(Checked(call, -1)), ToDouble<float>(ToNchw(found))) < 1e-5);

    // The gradient, by finite differences of the sum of y times dy.
    const Tensor dy = Random<float>(rng, {n, h, w, c});
    OpCall grad{"FusedBatchNormGradV3", attrs, {dy, x, scale, all[3], all[4], Tensor::Of<float>({0}, {})}, {}};
    const Tensor dx = Checked(grad, -1);
    const auto objective = [&](size_t at, double step) {
      const size_t ch = at % channels;
      double m = used_mean[ch], v = used_var[ch];
      if (training) {
        m = v = 0;
        for (size_t i = ch; i < xs.size(); i += channels) m += (xs[i] + (i == at ? step : 0)) / count;
        for (size_t i = ch; i < xs.size(); i += channels) v += std::pow(xs[i] + (i == at ? step : 0) - m, 2) / count;
      }
      double sum = 0;
      for (size_t i = ch; i < xs.size(); i += channels) {
        sum += static_cast<double>(dy.elements<float>()[i]) * (xs[i] + (i == at ? step : 0) - m) * ss[ch] /
               std::sqrt(v + 1e-3);
      }
      return sum;
    };
    for (int probe = 0; probe < 5; ++probe) {
      const auto at = static_cast<size_t>(Pick(rng, 0, x.num_elements() - 1));
      const double slope = (objective(at, 1e-5) - objective(at, -1e-5)) / 2e-5;
      CHECK(static_cast<double>(dx.elements<float>()[at]) == Approx(slope).epsilon(1e-3).margin(1e-4));
    }
  }
}

TEST_CASE("LRN and its gradient agree with double") {
  std::mt19937 rng(33);
  const Tensor x = Random<float>(rng, {2, 2, 3, 7});
  const AttrMap attrs{{"T", DType::kFloat}, {"depth_radius", 2}, {"bias", 1.5f}, {"alpha", 0.7f}, {"beta", 0.6f}};
  const Values xs = ToDouble<float>(x);
  const auto forward = [](const Values& v) {
    Values y(v.size());
    for (size_t i = 0; i < v.size(); ++i) {
      double sum = 0;
      const size_t pixel = i / 7 * 7, c = i % 7;
      for (size_t k = c < 2 ? 0 : c - 2; k < std::min<size_t>(7, c + 3); ++k) sum += v[pixel + k] * v[pixel + k];
      y[i] = v[i] / std::pow(1.5 + static_cast<double>(0.7f) * sum, static_cast<double>(0.6f));
    }
    return y;
  };
  const Tensor y = Checked({"LRN", attrs, {x}, {}}, -1);
  CHECK(Error(ToDouble<float>(y), forward(xs)) < 1e-6);
  const Tensor dy = Random<float>(rng, {2, 2, 3, 7});
  const Tensor dx = Checked({"LRNGrad", attrs, {dy, x, y}, {}}, -1);
  for (size_t at = 0; at < 14; ++at) {
    double slope = 0;
    for (const double step : {1e-5, -1e-5}) {
      Values moved = xs;
      moved[at] += step;
      const Values f = forward(moved);
      for (size_t i = 0; i < f.size(); ++i) slope += f[i] * static_cast<double>(dy.elements<float>()[i]) / (2 * step);
    }
    CHECK(static_cast<double>(dx.elements<float>()[at]) == Approx(slope).epsilon(1e-3).margin(1e-5));
  }
}

TEST_CASE("L2Loss is half the sum of squares, also of nothing") {
  std::mt19937 rng(34);
  const Tensor x = Random<float>(rng, {20001});
  double sum = 0;
  for (const double v : ToDouble<float>(x)) sum += v * v / 2;
  CHECK(ToDouble<float>(Checked({"L2Loss", {{"T", DType::kFloat}}, {x}, {}}, -1))[0] == Approx(sum).epsilon(1e-6));
  CHECK(ToDouble<float>(Only({"L2Loss", {{"T", DType::kFloat}}, {Tensor::Of<float>({0}, {})}, {}}))[0] == 0);
}

}  // namespace
}  // namespace millrace
