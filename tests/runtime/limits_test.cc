// Deadlines and cancelling where they are hard to keep: inside one long kernel, and
// while a session compiles.
#include <algorithm>
#include <thread>

#include "millrace/ops/builder/ops.h"
#include "millrace/runtime/session/session.h"
#include "millrace/tests/test.h"

using namespace millrace;

namespace {

Tensor Filled(const Shape& shape, float value) {
  Result<Tensor> tensor = Tensor::New(DType::kFloat, shape, HostAllocator());
  REQUIRE(tensor.ok());
  std::ranges::fill(tensor->elements<float>(), value);
  return *std::move(tensor);
}

// A chain whose compile takes far longer than a millisecond.
std::shared_ptr<Graph> LongChain(std::string* last) {
  const Scope s = Scope::NewRoot();
  Output at = ops::Placeholder(s.WithOpName("x"), DType::kFloat, {.shape = Shape({-1})});
  for (int i = 0; i < 20000; ++i) at = i % 2 == 0 ? ops::Tanh(s, at) : ops::Neg(s, at);
  MR_REQUIRE_OK(s.status());
  *last = at.name();
  return s.graph();
}

}  // namespace

TEST_CASE("a deadline ends a run inside one long kernel") {
  const int64_t n = 2048;
  const Scope s = Scope::NewRoot();
  const Output a = ops::Placeholder(s.WithOpName("a"), DType::kFloat, {.shape = Shape({n, n})});
  ops::MatMul(s.WithOpName("y"), a, a);
  MR_REQUIRE_OK(s.status());
  const Tensor input = Filled(Shape({n, n}), 0.5f);
  for (const int threads : {1, 2}) {
    auto session = Session::New(s.graph(), {.threads = threads});
    auto callable = (*session)->Prepare({"a"}, {"y"});
    MR_REQUIRE_OK(callable);
    // What nobody computed is as before. Without a look inside the kernel the run
    // would end well: no step comes after it.
    const Tensor output = Filled(Shape({n, n}), -1.0f);
    const Status late = (*callable)->RunInto(std::vector{input.view()}, std::vector{output.view()}, {.timeout_ms = 1});
    CHECK(late.code() == Code::kDeadlineExceeded);
    CHECK(late.node() == "y");
    const auto untouched = std::ranges::count(output.elements<float>(), -1.0f);
    CHECK(untouched > n * n / 4);
    // The next run, which has time, is whole.
    MR_REQUIRE_OK(
        (*callable)->RunInto(std::vector{input.view()}, std::vector{output.view()}, {.timeout_ms = 3'600'000}));
    CHECK(std::ranges::count(output.elements<float>(), 0.25f * static_cast<float>(n)) == n * n);
  }
}

TEST_CASE("a deadline ends a run inside a kernel of one piece") {
  const int64_t n = 600;
  const Scope s = Scope::NewRoot();
  const Output a = ops::Placeholder(s.WithOpName("a"), DType::kFloat, {.shape = Shape({n, n})});
  ops::MatrixInverse(s.WithOpName("y"), a);
  MR_REQUIRE_OK(s.status());
  const Tensor input = Filled(Shape({n, n}), 0.5f);
  for (int64_t i = 0; i < n; ++i) input.elements<float>()[static_cast<size_t>(i * (n + 1))] = 2.0f;
  auto session = Session::New(s.graph(), {.threads = 1});
  auto callable = (*session)->Prepare({"a"}, {"y"});
  MR_REQUIRE_OK(callable);
  // No step comes after it: without a look inside the kernel the run would end well.
  std::vector<Tensor> results;
  const Status late = (*callable)->Run({input}, &results, {.timeout_ms = 1});
  CHECK(late.code() == Code::kDeadlineExceeded);
  CHECK(late.node() == "y");
  MR_REQUIRE_OK((*callable)->Run({input}, &results, {.timeout_ms = 3'600'000}));
}

TEST_CASE("a cancelled run leaves no variable half changed") {
  const int64_t n = 1 << 24;
  const Scope s = Scope::NewRoot();
  const Output handle = ops::VarHandleOp(s.WithOpName("v"), DType::kFloat, Shape({n}));
  const Output x = ops::Placeholder(s.WithOpName("x"), DType::kFloat, {.shape = Shape({n})});
  ops::AssignVariableOp(s.WithOpName("init"), handle, x);
  ops::AssignAddVariableOp(s.WithOpName("add"), handle, x);
  ops::ReadVariableOp(s.WithOpName("read"), handle, DType::kFloat);
  MR_REQUIRE_OK(s.status());
  auto session = Session::New(s.graph(), {.threads = 2});
  const Tensor one = Filled(Shape({n}), 1.0f);
  MR_REQUIRE_OK((*session)->Run({{"x", one}}, {}, {"init"}));
  auto callable = (*session)->Prepare({"x"}, {}, {"add"});
  MR_REQUIRE_OK(callable);
  for (int i = 0; i < 4; ++i) {
    const Status status = (*callable)->RunInto(std::vector{one.view()}, {}, {.timeout_ms = 1});
    CHECK((status.ok() || status.code() == Code::kDeadlineExceeded));
  }
  const auto read = (*session)->Run({}, {"read"});
  MR_REQUIRE_OK(read);
  const auto values = (*read)[0].elements<float>();
  CHECK(std::ranges::count(values, values[0]) == n);
}

TEST_CASE("a deadline and a token end a compile, which the next run begins anew") {
  std::string last;
  const std::shared_ptr<Graph> graph = LongChain(&last);
  auto session = Session::New(graph, {.threads = 1});
  const Tensor x = Tensor::Of<float>(Shape({2}), {0.5f, -0.5f});
  CHECK((*session)->Run({{"x", x}}, {last}, {}, {.timeout_ms = 1}).status().code() == Code::kDeadlineExceeded);
  CancelToken token;
  token.Cancel();
  CHECK((*session)->Run({{"x", x}}, {last}, {}, {.cancel = &token}).status().code() == Code::kCancelled);
  CHECK((*session)->Prepare({"x"}, {last}, {}, {.cancel = &token}).status().code() == Code::kCancelled);
  const auto result = (*session)->Run({{"x", x}}, {last});
  MR_REQUIRE_OK(result);
  CHECK((*session)->compile_count() == 4);
  // It is kept.
  MR_REQUIRE_OK((*session)->Run({{"x", x}}, {last}));
  CHECK((*session)->compile_count() == 4);
}

TEST_CASE("who waits for the compile of another run has a deadline of its own") {
  std::string last;
  const std::shared_ptr<Graph> graph = LongChain(&last);
  auto session = Session::New(graph, {.threads = 1});
  const Tensor x = Tensor::Of<float>(Shape({2}), {0.5f, -0.5f});
  Status of_other;
  std::thread other([&] { of_other = (*session)->Run({{"x", x}}, {last}).status(); });
  while ((*session)->compile_count() == 0) std::this_thread::yield();
  CHECK((*session)->Run({{"x", x}}, {last}, {}, {.timeout_ms = 1}).status().code() == Code::kDeadlineExceeded);
  other.join();
  MR_REQUIRE_OK(of_other);
  CHECK((*session)->compile_count() == 1);
}

TEST_CASE("feeds of unknown rank: the compile for a rank that comes ends with its run") {
  const Scope s = Scope::NewRoot();
  Output at = ops::Placeholder(s.WithOpName("x"), DType::kFloat);
  for (int i = 0; i < 5000; ++i) at = i % 2 == 0 ? ops::Tanh(s, at) : ops::Neg(s, at);
  MR_REQUIRE_OK(s.status());
  auto session = Session::New(s.graph(), {.threads = 1});
  auto callable = (*session)->Prepare({"x"}, {at.name()});
  MR_REQUIRE_OK(callable);
  const Tensor x = Tensor::Of<float>(Shape({2}), {0.5f, -0.5f});
  std::vector<Tensor> results;
  CancelToken token;
  token.Cancel();
  CHECK((*callable)->Run({x}, &results, {.cancel = &token}).code() == Code::kCancelled);
  MR_REQUIRE_OK((*callable)->Run({x}, &results));
  CHECK(results[0].shape().rank() == 1);
}
