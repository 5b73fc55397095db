// Promises of the whole: one compile for all batch sizes, threads only when
// asked for, errors that name the node.
#include "millrace/runtime/session/session.h"

#include <cmath>
#include <thread>

#include "millrace/ops/graph/load.h"
#include "millrace/ops/io/npy.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/test.h"

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
