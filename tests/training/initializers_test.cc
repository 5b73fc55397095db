// Initial values: the reference framework's numbers for its seeds, and statistics.
#include <cmath>
#include <numeric>

#include "millrace/tests/training/run.h"

namespace millrace {
namespace {

using Catch::Matchers::Contains;

struct Recorded {
  bool graph_seed;  // 1234
  Initializer initializer;
  Shape shape;
  std::vector<double> values;
};

// TensorFlow 2.21 (v1 initialisers of the same parameters, session on the CPU).
std::vector<Recorded> RecordedValues() {
  return {
      {false,
       RandomUniformInitializer({.minval = -2, .maxval = 3, .seed = 7}),
       Shape({3, 4}),
       {0.419704914, 0.531015396, -0.724281192, -1.37628865, 2.66505051, 1.32304668, -0.853877783, 2.22113609,
        1.84551764, 0.755615234, 2.68229532, -1.45385873}},
      {false,
       RandomNormalInitializer({.mean = 1, .stddev = 0.5, .seed = 7}),
       Shape({3, 4}),
       {0.976527154, 0.398048818, 1.58341765, 1.58531022, 0.839964867, 0.904824436, 0.287856042, 1.47893393,
        0.885613024, 0.656226158, 1.11480761, 1.14015687}},
      {false,
       TruncatedNormalInitializer({.mean = 1, .stddev = 0.5, .seed = 7}),
       Shape({3, 4}),
       {0.976527154, 0.398048818, 1.58341765, 1.58531022, 1.35831308, 1.28556681, 0.536730111, 0.94770515, 0.402995825,
        0.445727229, 1.42843342, 0.577706754}},
      {false,
       GlorotUniformInitializer({.seed = 7}),
       Shape({3, 4}),
       {-0.0297355652, 0.011485815, -0.453385651, -0.694842339, 0.801778913, 0.304797173, -0.501378894, 0.637384892,
        0.498282909, 0.0946614742, 0.808165193, -0.723568678}},
      {false,
       GlorotNormalInitializer({.seed = 7}),
       Shape({3, 4}),
       {-0.0285275038, -0.731575847, 0.709051251, 0.711351395, 0.435472488, 0.347060949, -0.563030839, -0.0635560825,
        -0.725563586, -0.673630357, 0.520692647, -0.513230205}},
      {false,
       HeUniformInitializer({.seed = 7}),
       Shape({2, 2, 3, 1}),
       {-0.0227109194, 0.0087724328, -0.346278995, -0.530694544, 0.612368762, 0.232792735, -0.382934451, 0.486810744,
        0.380569875, 0.0722988844, 0.61724633, -0.552634716}},
      {false,
       HeNormalInitializer({.seed = 7}),
       Shape({2, 2, 3, 1}),
       {-0.0217882413, -0.558750272, 0.541546822, 0.543303609, 0.332597613, 0.265072167, -0.430021882, -0.0485417619,
        -0.55415833, -0.514493644, 0.397685558, -0.391986072}},
      {false,
       OrthogonalInitializer({.gain = 2, .seed = 7}),
       Shape({4, 3}),
       {-0.047703743, -1.91046894, -0.012974075, 1.18952441, 0.36776197, 0.861455262, -1.44728827, 0.438195467,
        -0.159427121, -0.698650777, -0.151144445, 1.79786253}},
      {false,
       OrthogonalInitializer({.gain = 2, .seed = 7}),
       Shape({3, 4}),
       {-0.047703743, 1.18952441, -1.44728827, -0.698650777, -1.91046894, 0.36776197, 0.438195467, -0.151144445,
        -0.012974075, 0.861455262, -0.159427121, 1.79786253}},
      {true,
       RandomUniformInitializer({.minval = -2, .maxval = 3, .seed = 7}),
       Shape({3, 4}),
       {1.98513079, -1.70016658, -0.275020719, 2.21650362, 0.997852564, 0.274928093, 1.9124608, -0.553962111,
        1.54314995, 2.01162529, -0.465305567, -0.58238399}},
      {true,
       RandomNormalInitializer({.mean = 1, .stddev = 0.5, .seed = 7}),
       Shape({3, 4}),
       {1.12391865, 1.31317413, 0.3923347, 1.40355217, 1.14114022, 0.514355898, 1.33962119, 0.914600253, 0.607243061,
        1.1339885, 1.75149047, 0.839328527}},
      {true,
       TruncatedNormalInitializer({.mean = 1, .stddev = 0.5, .seed = 7}),
       Shape({3, 4}),
       {1.12391865, 1.31317413, 0.3923347, 1.40355217, 1.22229934, 1.23494494, 0.823302031, 1.474612, 0.781213403,
        1.91554022, 1.30365181, 1.66200995}},
      {true,
       GlorotUniformInitializer({.seed = 7}),
       Shape({3, 4}),
       {0.549985528, -0.814783394, -0.287011921, 0.635669351, 0.18436873, -0.08335042, 0.523073792, -0.390311718,
        0.386307597, 0.559797168, -0.357479751, -0.400837123}},
      {true,
       GlorotNormalInitializer({.seed = 7}),
       Shape({3, 4}),
       {0.150603339, 0.380613357, -0.738520443, 0.490453482, 0.270169467, 0.285538197, -0.214748219, 0.576815307,
        -0.265900314, 1.11269355, 0.369040519, 0.804567695}},
      {true,
       HeUniformInitializer({.seed = 7}),
       Shape({2, 2, 3, 1}),
       {0.420058429, -0.622301102, -0.219208956, 0.485500515, 0.140813947, -0.063659966, 0.399504244, -0.298105508,
        0.295047343, 0.427552164, -0.273029625, -0.306144416}},
      {true,
       HeNormalInitializer({.seed = 7}),
       Shape({2, 2, 3, 1}),
       {0.1150252, 0.29069823, -0.56405431, 0.374590039, 0.206345335, 0.218083382, -0.164016664, 0.44054997,
        -0.203084722, 0.849833667, 0.281859338, 0.614498675}},
      {true,
       OrthogonalInitializer({.gain = 2, .seed = 7}),
       Shape({4, 3}),
       {0.444051743, 0.636609137, -1.84256327, 1.44609475, -0.1956954, 0.244319677, 1.21700346, -0.691879034,
        0.0929844379, 0.480136275, 1.75434768, 0.732545137}},
      {true,
       OrthogonalInitializer({.gain = 2, .seed = 7}),
       Shape({3, 4}),
       {0.444051743, 1.44609475, 1.21700346, 0.480136275, 0.636609137, -0.1956954, -0.691879034, 1.75434768,
        -1.84256327, 0.244319677, 0.0929844379, 0.732545137}},
  };
}

std::vector<double> Values(const Scope& root, const Shape& shape, DType dtype, const Initializer& initializer) {
  const Variable w(root, shape, dtype, initializer);
  const Operation init = InitializeVariables(root);
  Runs runs(root);
  runs.Do(init);
  return runs.Get(w);
}

TEST_CASE("seeded initial values are those of the reference framework") {
  for (const Recorded& recorded : RecordedValues()) {
    const Scope root = Scope::NewRoot();
    if (recorded.graph_seed) SetRandomSeed(root, 1234);
    const std::vector<double> found = Values(root, recorded.shape, DType::kFloat, recorded.initializer);
    INFO("the case whose first value is " << recorded.values[0]);
    CheckNear(found, recorded.values, 2e-6);
  }
}

struct Moments {
  double mean = 0, deviation = 0, low = 0, high = 0;
};
Moments MomentsOf(const std::vector<double>& values) {
  Moments m;
  const double n = static_cast<double>(values.size());
  m.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  for (const double v : values) m.deviation += (v - m.mean) * (v - m.mean) / n;
  m.deviation = std::sqrt(m.deviation);
  m.low = *std::min_element(values.begin(), values.end());
  m.high = *std::max_element(values.begin(), values.end());
  return m;
}

TEST_CASE("random initial values have the mean, deviation and bounds that were asked for") {
  const DType dtype = GENERATE(DType::kFloat, DType::kDouble);
  const Shape shape({200, 300});
  const auto moments = [&](const Initializer& initializer) {
    const Scope root = Scope::NewRoot();
    SetRandomSeed(root, 3);
    return MomentsOf(Values(root, shape, dtype, initializer));
  };
  const double fan_average = 250, fan_in = 200, fan_out = 300;
  const auto check = [&](const Moments& m, double mean, double deviation, double reach) {
    CHECK(m.mean == Approx(mean).margin(0.02 * deviation));
    CHECK(m.deviation == Approx(deviation).epsilon(0.02));
    CHECK(m.low >= mean - reach * (1 + 1e-6));
    CHECK(m.high <= mean + reach * (1 + 1e-6));
    CHECK(m.high > mean + 0.9 * std::min(reach, 3 * deviation));
  };
  const double uniform = std::sqrt(3.0), none = 100;
  check(moments(RandomUniformInitializer({.minval = 1, .maxval = 3})), 2, 1 / uniform, 1);
  check(moments(RandomNormalInitializer({.mean = 1, .stddev = 2})), 1, 2, none);
  check(moments(TruncatedNormalInitializer({.mean = 1, .stddev = 2})), 1, 2 * 0.8796, 4);
  const auto glorot = 1 / std::sqrt(fan_average), he = std::sqrt(2 / fan_in);
  check(moments(GlorotUniformInitializer()), 0, glorot, glorot * uniform);
  check(moments(GlorotNormalInitializer()), 0, glorot, glorot * 2 / 0.8796);
  check(moments(HeUniformInitializer()), 0, he, he * uniform);
  check(moments(HeNormalInitializer()), 0, he, he * 2 / 0.8796);
  check(moments(VarianceScalingInitializer({.scale = 3,
                                            .mode = VarianceScalingOptions::Mode::kFanOut,
                                            .distribution = VarianceScalingOptions::Distribution::kUntruncatedNormal})),
        0, std::sqrt(3 / fan_out), none);
}

TEST_CASE("orthogonal initial values have orthonormal rows or columns") {
  const DType dtype = GENERATE(DType::kFloat, DType::kDouble);
  for (const Shape& shape : {Shape({7, 4}), Shape({4, 7}), Shape({5, 5}), Shape({2, 3, 2, 4}), Shape({1, 3})}) {
    INFO(shape.ToString());
    const Scope root = Scope::NewRoot();
    const std::vector<double> q = Values(root, shape, dtype, OrthogonalInitializer({.gain = 2}));
    const int64_t columns = shape.dim(shape.rank() - 1), rows = *shape.NumElements() / columns;
    const auto at = [&](int64_t i, int64_t j) { return q[static_cast<size_t>(i * columns + j)]; };
    const bool tall = rows >= columns;
    for (int64_t a = 0; a < std::min(rows, columns); ++a) {
      for (int64_t b = 0; b < std::min(rows, columns); ++b) {
        double dot = 0;
        for (int64_t k = 0; k < std::max(rows, columns); ++k) dot += tall ? at(k, a) * at(k, b) : at(a, k) * at(b, k);
        CHECK(dot == Approx(a == b ? 4 : 0).margin(1e-5));
      }
    }
  }
}

TEST_CASE("constants fill their shape") {
  const Scope root = Scope::NewRoot();
  const auto values = [&](const Shape& shape, DType dtype, const Initializer& initializer) {
    const Scope own = Scope::NewRoot();
    return Values(own, shape, dtype, initializer);
  };
  CHECK(values(Shape({2, 2}), DType::kFloat, ZerosInitializer()) == std::vector<double>{0, 0, 0, 0});
  CHECK(values(Shape({3}), DType::kInt64, OnesInitializer()) == std::vector<double>{1, 1, 1});
  CHECK(values(Shape(), DType::kDouble, ConstantInitializer(2.5)) == std::vector<double>{2.5});
  CHECK(values(Shape({2, 2}), DType::kFloat, ConstantInitializer({1, 2, 3, 4})) == std::vector<double>{1, 2, 3, 4});
  CHECK(values(Shape({0, 2}), DType::kFloat, ZerosInitializer()).empty());
}

TEST_CASE("seeds: the graph's, the op's, or none") {
  const Scope root = Scope::NewRoot();
  CHECK(RandomSeeds(root) == std::pair<int64_t, int64_t>{0, 0});
  CHECK(RandomSeeds(root, 7) == std::pair<int64_t, int64_t>{87654321, 7});
  SetRandomSeed(root, 5);
  CHECK(RandomSeeds(root, 7) == std::pair<int64_t, int64_t>{5, 7});
  CHECK(RandomSeeds(root) == std::pair<int64_t, int64_t>{5, 0});
  Const(root, 1.0);
  CHECK(RandomSeeds(root) == std::pair<int64_t, int64_t>{5, 1});
  SetRandomSeed(root, 0);
  CHECK(RandomSeeds(root, 0) == std::pair<int64_t, int64_t>{0, INT32_MAX});
}

TEST_CASE("without a seed runs differ, with the graph's they do not") {
  const auto draw = [](bool seeded) {
    const Scope root = Scope::NewRoot();
    if (seeded) SetRandomSeed(root, 11);
    return Values(root, Shape({8}), DType::kFloat, RandomNormalInitializer());
  };
  CHECK(draw(false) != draw(false));
  CHECK(draw(true) == draw(true));
}

TEST_CASE("initialisers that do not fit are refused") {
  const Scope root = Scope::NewRoot();
  SECTION("random integers") {
    Variable(root.WithOpName("w"), Shape({2}), DType::kInt32, RandomUniformInitializer());
    CHECK_THAT(root.status().ToString(), Contains("w/Initializer") && Contains("int32"));
  }
  SECTION("an orthogonal vector") {
    Variable(root.WithOpName("w"), Shape({2}), DType::kFloat, OrthogonalInitializer());
    CHECK_THAT(root.status().ToString(), Contains("w/Initializer") && Contains("[2]"));
  }
  SECTION("a scale that is not positive") {
    Variable(root.WithOpName("w"), Shape({2, 2}), DType::kFloat, VarianceScalingInitializer({.scale = 0}));
    CHECK_THAT(root.status().ToString(), Contains("scale should be positive"));
  }
  SECTION("constants of another size") {
    Variable(root.WithOpName("w"), Shape({2, 2}), DType::kFloat, ConstantInitializer({1, 2, 3}));
    CHECK_THAT(root.status().ToString(), Contains("[2,2]") && Contains("[3]"));
  }
}

}  // namespace
}  // namespace millrace
