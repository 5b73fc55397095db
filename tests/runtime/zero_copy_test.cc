// Memory of the caller's: fed where it is, filled where it is.
#include <algorithm>

#include "millrace/devices/api/dlpack.h"
#include "millrace/ops/builder/ops.h"
#include "millrace/ops/training/variable.h"
#include "millrace/runtime/session/session.h"
#include "millrace/tests/test.h"

using namespace millrace;

namespace {

// y = 2 x, z = the indices of the numbers of x that are not 0: how many, only the run
// knows.
std::unique_ptr<Session> Doubling() {
  const Scope s = Scope::NewRoot();
  const Output x = ops::Placeholder(s.WithOpName("x"), DType::kFloat, {.shape = Shape({-1})});
  ops::Mul(s.WithOpName("y"), x, 2.0f);
  ops::Where(s.WithOpName("z"), x);
  MR_REQUIRE_OK(s.status());
  auto session = Session::New(s.graph(), {.threads = 1});
  MR_REQUIRE_OK(session);
  return std::move(*session);
}

TensorView ViewOf(std::vector<float>& values, const int64_t& extent) {
  return {values.data(), DType::kFloat, 1, &extent, extent};
}

}  // namespace

TEST_CASE("feeds are read where they are, outputs written where the caller wants them") {
  const auto session = Doubling();
  const auto callable = session->Prepare({"x"}, {"y"});
  MR_REQUIRE_OK(callable);
  std::vector<float> in(1000, 1.5f), out(1000, 0.0f);
  const int64_t extent = 1000;
  const std::vector feeds = {ViewOf(in, extent)}, outputs = {ViewOf(out, extent)};
  MR_REQUIRE_OK((*callable)->RunInto(feeds, outputs));
  CHECK(std::ranges::count(out, 3.0f) == extent);
  // The same views, other numbers behind them.
  std::ranges::fill(in, -4.0f);
  MR_REQUIRE_OK((*callable)->RunInto(feeds, outputs));
  CHECK(std::ranges::count(out, -8.0f) == extent);
  CHECK(std::ranges::count(in, -4.0f) == extent);
  // In place, and shifted over each other: as if the feed had been read first.
  MR_REQUIRE_OK((*callable)->RunInto(feeds, feeds));
  CHECK(std::ranges::count(in, -8.0f) == extent);
  std::vector<float> both(1001);
  for (size_t i = 0; i < both.size(); ++i) both[i] = static_cast<float>(i);
  const std::vector first = {TensorView{both.data(), DType::kFloat, 1, &extent, extent}},
                    second = {TensorView{both.data() + 1, DType::kFloat, 1, &extent, extent}};
  MR_REQUIRE_OK((*callable)->RunInto(first, second));
  for (size_t i = 1; i < both.size(); ++i) CHECK(both[i] == 2 * static_cast<float>(i - 1));
}

TEST_CASE("results are the caller's own, also of a feed, a constant and a variable") {
  const Scope s = Scope::NewRoot();
  const Output x = ops::Placeholder(s.WithOpName("x"), DType::kFloat, {.shape = Shape({2})});
  const Output c = ops::Const(s.WithOpName("c"), {1.0f, 2.0f});
  const Variable v(s.WithOpName("v"), {3.0f, 4.0f});
  const Operation init = InitializeVariables(s);
  MR_REQUIRE_OK(s.status());
  const auto session = Session::New(s.graph(), {.threads = 1});
  MR_REQUIRE_OK(session);
  MR_REQUIRE_OK((*session)->Run({}, {}, {init}));
  const Tensor fed = Tensor::Of<float>(Shape({2}), {5, 6});
  const std::vector<float> expected[] = {{5, 6}, {1, 2}, {3, 4}};
  // Whoever writes into what came of the first run finds the second as it was.
  for (int run = 0; run < 2; ++run) {
    const auto results = (*session)->Run({{x, fed}}, {x, c, v.value()});
    MR_REQUIRE_OK(results);
    for (size_t i = 0; i < 3; ++i) {
      const Tensor& result = (*results)[i];
      CHECK(result.buffer().unique());
      CHECK(std::ranges::equal(result.elements<float>(), expected[i]));
      std::ranges::fill(result.elements<float>(), -1.0f);
    }
  }
}

TEST_CASE("a feed need be aligned for its elements only") {
  const auto session = Doubling();
  std::vector<float> memory(101, 1.0f);
  const Tensor fed(DType::kFloat, Shape({100}), Buffer::Borrow(memory.data() + 1, 100 * sizeof(float)));
  const auto results = session->Run({{"x", fed}}, {"y"});
  MR_REQUIRE_OK(results);
  CHECK(std::ranges::count((*results)[0].elements<float>(), 2.0f) == 100);
}

TEST_CASE("memory that does not fit a result is an error that names the fetch") {
  const auto session = Doubling();
  std::vector<float> in = {0, 1, 2}, out(3);
  const int64_t three = 3, two = 2;
  const auto y = session->Prepare({"x"}, {"y"});
  MR_REQUIRE_OK(y);
  Status status = (*y)->RunInto(std::vector{ViewOf(in, three)}, std::vector{ViewOf(out, two)});
  CHECK(status.code() == Code::kInvalidArgument);
  CHECK(status.message().find("'y:0'") != std::string::npos);
  // A size that only the run knows is compared with what the caller has room for.
  const auto z = session->Prepare({"x"}, {"z"});
  MR_REQUIRE_OK(z);
  std::vector<int64_t> indices(2, -1);
  const int64_t dims[] = {2, 1};
  const std::vector room = {TensorView{indices.data(), DType::kInt64, 2, dims, 2}};
  MR_REQUIRE_OK((*z)->RunInto(std::vector{ViewOf(in, three)}, room));
  CHECK(indices == std::vector<int64_t>{1, 2});
  in[0] = 1;
  status = (*z)->RunInto(std::vector{ViewOf(in, three)}, room);
  CHECK(status.code() == Code::kInvalidArgument);
  CHECK(status.message().find("'z:0'") != std::string::npos);
}

TEST_CASE("a tensor of another library is fed, and a result goes to one, without a copy") {
  const auto session = Doubling();
  static std::vector<float> numbers = {1, 2, 3};
  static int deleted = 0;
  int64_t extent = 3;
  dlpack::ManagedTensor theirs = {{numbers.data(), {dlpack::kCpu, 0}, 1, {dlpack::kFloat, 32, 1}, &extent, nullptr, 0},
                                  nullptr,
                                  [](dlpack::ManagedTensor*) { ++deleted; }};
  Result<Tensor> x = FromDLPack(&theirs);
  MR_REQUIRE_OK(x);
  auto results = session->Run({{"x", *x}}, {"y"});
  MR_REQUIRE_OK(results);
  *x = Tensor();
  CHECK(deleted == 1);
  CHECK(numbers == std::vector<float>{1, 2, 3});
  const void* const data = (*results)[0].data();
  const Result<dlpack::ManagedTensor*> lent = ToDLPack((*results)[0]);
  MR_REQUIRE_OK(lent);
  results->clear();
  CHECK((*lent)->info.data == data);
  CHECK(static_cast<float*>((*lent)->info.data)[2] == 6);
  (*lent)->deleter(*lent);
}
