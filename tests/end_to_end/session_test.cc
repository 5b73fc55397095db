// Promises of the whole: one compile for all batch sizes, threads only when
// asked for, errors that name the node.
#include "millrace/runtime/session/session.h"

#include <cmath>
#include <thread>

#include "millrace/ops/graph/load.h"
#include "millrace/ops/io/npy.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/compiler/graphs.h"

namespace millrace {
namespace {

std::string Sample(const char* file) { return Cat(MILLRACE_SOURCE_DIR, "/samples/data/", file); }

std::unique_ptr<Session> Open(const char* file, int threads = 1) {
  auto graph = LoadGraph(Sample(file));
  MR_REQUIRE_OK(graph);
  SessionOptions options;
  options.threads = threads;
  auto session = Session::New(*graph, options);
  MR_REQUIRE_OK(session);
  return std::move(*session);
}

Tensor Images(int64_t count) {
  Tensor images = Tensor::Of<float>(Shape({count, 14, 14, 1}), std::vector<float>(static_cast<size_t>(count) * 196));
  auto pixels = images.elements<float>();
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = std::sin(static_cast<float>(i));
  return images;
}

std::pair<std::string, Tensor> Vector(const char* name, int64_t size) {
  return {name, Tensor::Of<float>(Shape({size}), std::vector<float>(static_cast<size_t>(size), 0.5f))};
}

TEST_CASE("one compile serves every batch size, the empty one too") {
  auto session = Open("digits_cnn.pb");
  const int64_t before = session->compile_count();
  std::vector<float> first;
  for (int64_t batch : {1, 2, 7, 64, 0}) {
    auto results = session->Run({{"images:0", Images(batch)}}, {"probabilities:0"});
    MR_REQUIRE_OK(results);
    CHECK((*results)[0].shape() == Shape({batch, 10}));
    // The first image is the same in every batch: so are its probabilities.
    const auto row = (*results)[0].elements<float>().subspan(0, batch > 0 ? 10 : 0);
    if (first.empty()) first.assign(row.begin(), row.end());
    for (size_t i = 0; i < row.size(); ++i) CHECK(row[i] == first[i]);
  }
  CHECK(session->compile_count() == before + 1);
}

TEST_CASE("feeds whose sizes meet in a broadcast are decided at the run") {
  auto session = Open("quadratic_fit.pb");
  MR_REQUIRE_OK(session->Run({}, {}, {"init"}));
  const int64_t before = session->compile_count();
  auto run = [&](int64_t x, int64_t y) {
    return session->Run({Vector("x:0", x), Vector("y:0", y)}, {"loss:0"}, {"train"});
  };
  MR_REQUIRE_OK(run(5, 5));
  MR_REQUIRE_OK(run(5, 1));
  MR_REQUIRE_OK(run(1, 5));
  const auto wrong = run(5, 3);
  REQUIRE(!wrong.ok());
  INFO(wrong.status().ToString());
  CHECK(wrong.status().code() == Code::kInvalidArgument);
  CHECK(wrong.status().node() == "sub");
  CHECK(session->compile_count() == before + 1);
  // Of nothing the mean is NaN, which then is in the weights.
  const auto empty = run(0, 0);
  MR_REQUIRE_OK(empty);
  CHECK(std::isnan((*empty)[0].elements<float>()[0]));
}

// y = relu(x) * 2 + z, s = the sum of x, both of any rank.
std::shared_ptr<const Graph> AnyRank() {
  return MakeGraph({Input("x", Shape::UnknownRank()), Input("z", Shape::UnknownRank()), Op1("r", "Relu", {"x"}),
                    Floats("two", Shape(std::vector<int64_t>{}), {2}), Op1("m", "Mul", {"r", "two"}),
                    Op1("y", "AddV2", {"m", "z"})});
}

TEST_CASE("a few combinations of ranks have plans of their own, all others share one") {
  auto session = Session::New(AnyRank(), {.threads = 1});
  MR_REQUIRE_OK(session);
  const auto run = [&](std::vector<int64_t> x, std::vector<int64_t> z) {
    const auto ones = [](const std::vector<int64_t>& dims) {
      size_t n = 1;
      for (int64_t d : dims) n *= static_cast<size_t>(d);
      return Tensor::Of<float>(Shape(dims), std::vector<float>(n, 1.5f));
    };
    auto results = (*session)->Run({{"x:0", ones(x)}, {"z:0", ones(z)}}, {"y:0"});
    MR_REQUIRE_OK(results);
    for (const float v : (*results)[0].elements<float>()) CHECK(v == 4.5f);
    return (*results)[0].shape();
  };
  CHECK(run({}, {3}) == Shape({3}));
  CHECK(run({2, 3}, {3}) == Shape({2, 3}));
  CHECK(run({5, 3}, {1}) == Shape({5, 3}));
  CHECK((*session)->compile_count() == 2);
  CHECK(run({3}, {2, 1}) == Shape({2, 3}));
  CHECK(run({1, 1, 4}, {4}) == Shape({1, 1, 4}));
  CHECK((*session)->compile_count() == 4);
  // Past the cap: one more, for all.
  CHECK(run({2}, {2}) == Shape({2}));
  CHECK(run({1, 1, 1, 1, 1, 2}, {2, 1, 1}) == Shape({1, 1, 1, 2, 1, 2}));
  CHECK(run({2, 3, 4, 5}, {}) == Shape({2, 3, 4, 5}));
  CHECK((*session)->compile_count() == 5);
  CHECK(run({2, 3}, {2, 3}) == Shape({2, 3}));
  CHECK((*session)->compile_count() == 5);
  MR_REQUIRE_OK((*session)->Close());
}

TEST_CASE("several open dimensions, computed with and joined in broadcasts, take one compile") {
  // a: [n, m], b: [k, m]; c = reshape(a, [-1, 1]) + b.row sums ...
  const AttrMap ints = {{"T", DType::kInt32}};
  std::vector<NodeDef> nodes = {
      Input("a", Shape({-1, -1})),
      Input("b", Shape({-1, -1})),
      Op1("sum", "AddV2", {"a", "b"}),
      Op1("shape", "Shape", {"a"}),
      N("count", "Size", {"sum"}, {{"T", DType::kFloat}}),
      Ints("zero", Shape(std::vector<int64_t>{}), {0}),
      Ints("one", Shape({1}), {1}),
      Ints("minus", Shape({1}), {-1}),
      N("flat", "Reshape", {"sum", "minus"}, {{"T", DType::kFloat}}),
      N("dims", "ConcatV2", {"shape", "one", "zero"}, {{"T", DType::kInt32}, {"N", int64_t{2}}}),
      N("deep", "Reshape", {"a", "dims"}, {{"T", DType::kFloat}}),
      N("like", "Fill", {"dims", "scale"}, {{"T", DType::kFloat}}),
      Floats("scale", Shape(std::vector<int64_t>{}), {3}),
      Op1("product", "Mul", {"deep", "like"})};
  auto session = Session::New(MakeGraph(nodes), {.threads = 1});
  MR_REQUIRE_OK(session);
  for (const int64_t n : {0, 1, 2, 7, 64}) {
    for (const bool wide : {false, true}) {
      for (const bool swapped : {false, true}) {
        // 1 against n both ways, and n against n.
        const Shape big({n, 3}), small = wide ? big : Shape({1, 3});
        const auto filled = [](const Shape& s) {
          return Tensor::Of<float>(s, std::vector<float>(static_cast<size_t>(s.dim(0) * s.dim(1)), 1.0f));
        };
        const Tensor x = filled(swapped ? small : big), y = filled(swapped ? big : small);
        auto results = (*session)->Run({{"a:0", x}, {"b:0", y}}, {"flat:0", "count:0", "product:0"});
        MR_REQUIRE_OK(results);
        CHECK((*results)[0].shape() == Shape({n * 3}));
        for (const float v : (*results)[0].elements<float>()) CHECK(v == 2.0f);
        CHECK((*results)[1].elements<int32_t>()[0] == n * 3);
        CHECK((*results)[2].shape() == Shape({x.shape().dim(0), 3, 1}));
      }
    }
  }
  CHECK((*session)->compile_count() == 1);
}

TEST_CASE("any number of threads gives the same bits") {
  const Tensor images = Images(64);
  std::vector<Tensor> results;
  for (int threads : {1, 2, 4}) {
    auto result = Open("digits_cnn.pb", threads)->Run({{"images:0", images}}, {"probabilities:0"});
    MR_REQUIRE_OK(result);
    results.push_back((*result)[0]);
  }
  for (const Tensor& t : results) {
    CHECK(std::equal(t.elements<float>().begin(), t.elements<float>().end(), results[0].elements<float>().begin()));
  }
}

TEST_CASE("bad requests say what is wrong before anything runs") {
  auto session = Open("digits_cnn.pb");
  const Tensor images = Images(2);
  struct {
    std::vector<std::pair<std::string, Tensor>> feeds;
    std::vector<std::string> fetches;
    const char* named;
  } cases[] = {
      {{}, {"digit:0"}, "images"},
      {{{"images:0", images}, {"images:0", images}}, {"digit:0"}, "images:0"},
      {{{"images:0", Tensor::Scalar<int32_t>(1)}}, {"digit:0"}, "images"},
      {{{"images:0", images.Reshaped(Shape({2, 196}))}}, {"digit:0"}, "images"},
      {{{"images:0", images}}, {"nowhere:0"}, "nowhere"},
      {{{"images:0", images}}, {"digit:3"}, "digit"},
      {{{"nothing:0", images}}, {"digit:0"}, "nothing"},
  };
  for (const auto& c : cases) {
    const auto result = session->Run(c.feeds, c.fetches);
    REQUIRE(!result.ok());
    INFO(result.status().ToString());
    CHECK(result.status().ToString().find(c.named) != std::string::npos);
  }
  MR_REQUIRE_OK(session->Close());
  const auto closed = session->Run({{"images:0", images}}, {"digit:0"});
  REQUIRE(!closed.ok());
  CHECK(closed.status().code() == Code::kFailedPrecondition);
}

}  // namespace
}  // namespace millrace
