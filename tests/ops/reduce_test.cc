// Reductions against plain loops, and the same bits at any number of threads.
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

#include "millrace/tests/ops/run_op.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

// x reduced over `axes` in double, plainly.
std::vector<double> Plain(const std::vector<double>& x, const std::vector<int64_t>& dims,
                          const std::vector<bool>& reduced, double initial, double (*combine)(double, double)) {
  int64_t results = 1;
  for (size_t k = 0; k < dims.size(); ++k) results *= reduced[k] ? 1 : dims[k];
  std::vector<double> out(static_cast<size_t>(results), initial);
  std::vector<int64_t> at(dims.size(), 0);
  for (const double v : x) {
    int64_t o = 0;
    for (size_t k = 0; k < dims.size(); ++k) {
      if (!reduced[k]) o = o * dims[k] + at[k];
    }
    out[static_cast<size_t>(o)] = combine(out[static_cast<size_t>(o)], v);
    for (size_t k = dims.size(); k-- > 0;) {
      if (++at[k] < dims[k]) break;
      at[k] = 0;
    }
  }
  return out;
}

const std::vector<std::vector<int64_t>> kShapes = {
    {},         {1},       {7},        {33},        {5000},      {3, 5},       {1000, 3},     {2000, 1},
    {64, 600},  {3, 0, 2}, {2, 3, 4},  {9, 70, 11}, {5, 1, 600}, {4, 3, 5, 2}, {2, 9, 3, 40}, {3, 1, 2, 1, 4},
    {130, 513}, {70000},   {2, 70000}, {70000, 2},  {300, 300}};

TEST_CASE("sums, means and extremes agree with plain loops over every choice of axes") {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (const std::vector<int64_t>& dims : kShapes) {
    const int64_t n = std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>());
    std::vector<float> x(static_cast<size_t>(n));
    for (float& v : x) v = uniform(random);
    const std::vector<double> wide(x.begin(), x.end());
    for (uint32_t mask = 0; mask < (1u << dims.size()); ++mask) {
      std::vector<bool> reduced(dims.size());
      std::vector<int32_t> axes;
      double count = 1;
      for (size_t k = 0; k < dims.size(); ++k) {
        reduced[k] = (mask >> k & 1) != 0;
        // Some axes from the end.
        if (reduced[k]) axes.push_back(static_cast<int32_t>(k) - (k % 2 == 0 ? 0 : static_cast<int32_t>(dims.size())));
        if (reduced[k]) count *= static_cast<double>(dims[k]);
      }
      const Tensor input = Tensor::Of<float>(Shape(dims), x);
      const Tensor axis = Tensor::Of<int32_t>(Shape({static_cast<int64_t>(axes.size())}), axes);
      INFO("shape " << Shape(dims) << ", axes " << mask);
      const double infinity = std::numeric_limits<double>::infinity();
      const std::vector<double> sum = Plain(wide, dims, reduced, 0, [](double a, double b) { return a + b; });
      const std::vector<double> max =
          Plain(wide, dims, reduced, -infinity, [](double a, double b) { return std::fmax(a, b); });
      for (const char* op : {"Sum", "Mean", "Max"}) {
        const OpCall call{op, {{"T", DType::kFloat}, {"Tidx", DType::kInt32}}, {input, axis}, {}, 1};
        const Result<std::vector<Tensor>> found = RunOp(Registry::BuiltIn(), call);
        MR_REQUIRE_OK(found);
        REQUIRE((*found)[0].num_elements() == static_cast<int64_t>(sum.size()));
        double worst = 0;
        for (size_t i = 0; i < sum.size(); ++i) {
          const double v = (*found)[0].elements<float>()[i];
          const double expected = op[0] == 'S' ? sum[i] : op[1] == 'a' ? max[i] : sum[i] / count;
          if (std::isnan(expected) ? std::isnan(v) : v == expected) continue;
          worst = std::max(worst, std::abs(v - expected) / (op[0] == 'S' ? std::sqrt(count) : 1));
        }
        INFO(op);
        CHECK(worst < (op[1] == 'a' ? 0 : 1e-6) + 1e-30);
      }
    }
  }
}

TEST_CASE("a reduction has the same bits at any number of threads") {
  std::mt19937 random(2);
  std::uniform_real_distribution<float> uniform(-1, 1);
  const std::vector<std::pair<std::vector<int64_t>, std::vector<int32_t>>> cases = {
      {{1000003}, {0}},   {{3, 300000}, {1}},      {{300000, 3}, {0}},
      {{2000, 700}, {0}}, {{50, 40, 300}, {0, 2}}, {{200, 5, 600}, {0}}};
  for (const auto& [dims, axes] : cases) {
    const int64_t n = std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>());
    std::vector<float> x(static_cast<size_t>(n));
    for (float& v : x) v = uniform(random);
    OpCall call{
        "Sum",
        {{"T", DType::kFloat}, {"Tidx", DType::kInt32}},
        {Tensor::Of<float>(Shape(dims), x), Tensor::Of<int32_t>(Shape({static_cast<int64_t>(axes.size())}), axes)},
        {},
        1};
    const Result<std::vector<Tensor>> one = RunOp(Registry::BuiltIn(), call);
    MR_REQUIRE_OK(one);
    for (const int threads : {2, 5}) {
      call.threads = threads;
      const Result<std::vector<Tensor>> many = RunOp(Registry::BuiltIn(), call);
      MR_REQUIRE_OK(many);
      CHECK(std::memcmp((*one)[0].data(), (*many)[0].data(), (*one)[0].bytes()) == 0);
    }
  }
}

TEST_CASE("a NaN wins in Max and is passed over in ArgMax") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (size_t place = 0; place < 40; ++place) {
    std::vector<float> x(40, 1);
    x[place] = nan;
    x[(place + 5) % 40] = 2;
    const Tensor input = Tensor::Of<float>(Shape({40}), x);
    const Result<std::vector<Tensor>> max = RunOp(
        Registry::BuiltIn(),
        {"Max", {{"T", DType::kFloat}, {"Tidx", DType::kInt32}}, {input, Tensor::Of<int32_t>(Shape({1}), {0})}, {}, 1});
    MR_REQUIRE_OK(max);
    CHECK(std::isnan((*max)[0].elements<float>()[0]));
    const Result<std::vector<Tensor>> arg =
        RunOp(Registry::BuiltIn(),
              {"ArgMax", {{"T", DType::kFloat}, {"Tidx", DType::kInt32}}, {input, Tensor::Scalar<int32_t>(0)}, {}, 1});
    MR_REQUIRE_OK(arg);
    CHECK((*arg)[0].elements<int64_t>()[0] == static_cast<int64_t>((place + 5) % 40));
  }
}

TEST_CASE("axes out of range or named twice are refused") {
  const Tensor input = Tensor::Of<float>(Shape({2, 2}), {1, 2, 3, 4});
  for (const std::vector<int32_t>& axes : {std::vector<int32_t>{2}, {-3}, {0, 0}, {1, -1}}) {
    const Result<std::vector<Tensor>> found =
        RunOp(Registry::BuiltIn(), {"Sum",
                                    {{"T", DType::kFloat}, {"Tidx", DType::kInt32}},
                                    {input, Tensor::Of<int32_t>(Shape({static_cast<int64_t>(axes.size())}), axes)},
                                    {},
                                    1});
    REQUIRE_FALSE(found.ok());
    CHECK(found.status().code() == Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace millrace
