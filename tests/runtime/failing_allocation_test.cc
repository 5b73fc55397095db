// What comes of allocations that fail, each in turn, while a graph is loaded,
// compiled and run: those of tensors are errors like any other; one of the many
// small ones is an error or throws std::bad_alloc, which nothing here catches: the
// process ends with a message. Never a crash, a hang or another result.
// MILLRACE_EVERY_ALLOCATION=1 fails each of them (a quarter of an hour), =N the Nth
// alone, else some.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>

#include "millrace/ops/graph/load.h"
#include "millrace/runtime/session/session.h"
#include "millrace/tests/runtime/heap.h"
#include "millrace/tests/test.h"

namespace {

// Of the process that works; its parent reads it.
struct Failing {
  bool armed = false;
  size_t least = 0;   // bytes of the allocations that count
  int64_t fail = -1;  // the number of the one that fails; -1: none
  int64_t seen = 0;
};
Failing* failing = nullptr;

bool Fails(size_t bytes) {
  if (failing == nullptr || !failing->armed || bytes < failing->least) return false;
  return failing->seen++ == failing->fail;
}

}  // namespace

namespace millrace::testing {
namespace {

std::string Sample(const char* name) { return std::string(MILLRACE_SOURCE_DIR) + "/samples/data/" + name; }

Tensor Ramp(const Shape& shape) {
  std::vector<float> values(static_cast<size_t>(*shape.NumElements()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 7) / 7;
  return Tensor::Of<float>(shape, values);
}

// Loads, compiles, runs twice and closes; the sum of what came.
Result<double> Digits(const Tensor& images) {
  MR_ASSIGN_OR_RETURN(const auto graph, LoadGraph(Sample("digits_cnn.pb")));
  MR_ASSIGN_OR_RETURN(const auto session, Session::New(graph, {.threads = 1}));
  double sum = 0;
  for (int i = 0; i < 2; ++i) {
    MR_ASSIGN_OR_RETURN(const auto results, session->Run({{"images:0", images}}, {"probabilities:0"}));
    for (float f : results[0].elements<float>()) sum += static_cast<double>(f);
  }
  MR_RETURN_IF_ERROR(session->Close());
  return sum;
}

Result<double> Fit(const Tensor& x) {
  MR_ASSIGN_OR_RETURN(const auto graph, LoadGraph(Sample("quadratic_fit.pb")));
  MR_ASSIGN_OR_RETURN(const auto session, Session::New(graph, {.threads = 1}));
  MR_RETURN_IF_ERROR(session->Run({}, {}, {"init"}).status());
  double sum = 0;
  for (int i = 0; i < 3; ++i) {
    MR_ASSIGN_OR_RETURN(const auto results, session->Run({{"x:0", x}, {"y:0", x}}, {"loss:0"}, {"train"}));
    sum += static_cast<double>(results[0].elements<float>()[0]);
  }
  return sum;
}

// How a process ended that had allocation number `fail` fail.
enum class End { kSame, kExhausted, kOtherError, kOtherResult, kMessage, kNull, kSilence };

template <typename Work>
End RunWith(const Work& work, size_t least, int64_t fail, double* result) {
  int out[2];
  REQUIRE(pipe(out) == 0);
  const pid_t child = fork();
  if (child == 0) {
    // Not the test program's own handlers.
    for (int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, SIG_DFL);
    alarm(60);  // a hang ends without a message
    dup2(out[1], STDERR_FILENO);
    close(out[0]);
    on_allocation = Fails;
    *failing = {.armed = true, .least = least, .fail = fail, .seen = 0};
    // As in a host that catches nothing: a thrown bad_alloc ends it.
    const Result<double> sum = [&]() noexcept { return work(); }();
    failing->armed = false;
    on_allocation = nullptr;
    if (sum.ok() && fail < 0) *result = *sum;
    const bool same = sum.ok() && *sum == *result;
    _exit(same                                              ? static_cast<int>(End::kSame)
          : sum.ok()                                        ? static_cast<int>(End::kOtherResult)
          : sum.status().code() == Code::kResourceExhausted ? static_cast<int>(End::kExhausted)
                                                            : static_cast<int>(End::kOtherError));
  }
  close(out[1]);
  std::string said;
  char buffer[512];
  for (ssize_t n; (n = read(out[0], buffer, sizeof buffer)) > 0;) said.append(buffer, static_cast<size_t>(n));
  close(out[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) return static_cast<End>(WEXITSTATUS(status));
  const bool message = said.find("bad_alloc") != std::string::npos || said.find("emory") != std::string::npos;
  if (WTERMSIG(status) == SIGABRT && message) return End::kMessage;
  if (WTERMSIG(status) == SIGSEGV) return End::kNull;
  std::printf("allocation %lld: signal %d, '%s'\n", static_cast<long long>(fail), WTERMSIG(status), said.c_str());
  return End::kSilence;
}

// Fails every `step`th of the allocations of `least` bytes and more.
template <typename Work>
std::map<End, int64_t> RunAll(const char* name, const Work& work, size_t least, int64_t about) {
  void* const shared = mmap(nullptr, 2 * sizeof(Failing), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(shared != MAP_FAILED);
  failing = static_cast<Failing*>(shared);
  double* const result = reinterpret_cast<double*>(failing + 1);
  CHECK(RunWith(work, least, -1, result) == End::kSame);
  const int64_t all = failing->seen;
  CHECK(all > 0);
  const char* const asked = std::getenv("MILLRACE_EVERY_ALLOCATION");
  const int64_t only = asked != nullptr ? std::atoll(asked) : 0;
  const int64_t step = only > 1 ? all : only == 1 ? 1 : std::max<int64_t>(all / about, 1);
  std::map<End, int64_t> ends;
  for (int64_t i = only > 1 ? only : 0; i < all; i += step) ++ends[RunWith(work, least, i, result)];
  failing = nullptr;
  munmap(shared, 2 * sizeof(Failing));
  std::printf(
      "%s, allocations of %zu bytes and more: %lld; failed every %lldth: the same result %lld, "
      "RESOURCE_EXHAUSTED %lld, another error %lld, ended with a message %lld, at a null pointer of MLIR's %lld\n",
      name, least, static_cast<long long>(all), static_cast<long long>(step), static_cast<long long>(ends[End::kSame]),
      static_cast<long long>(ends[End::kExhausted]), static_cast<long long>(ends[End::kOtherError]),
      static_cast<long long>(ends[End::kMessage]), static_cast<long long>(ends[End::kNull]));
  CHECK(ends[End::kOtherResult] == 0);
  // MLIR's headers write to what a few mallocs give without a look (interfaces of
  // operations, while dialects are set up): such a process ends at once, too.
  int64_t sum = 0;
  for (const auto& [end, count] : ends) sum += count;
  CHECK(ends[End::kNull] * 10 <= sum);
  CHECK(ends[End::kSilence] == 0);
  return ends;
}

}  // namespace

TEST_CASE("a tensor's allocation that fails is RESOURCE_EXHAUSTED, or another way is found") {
  if (!kWatchesHeap) MR_SKIP("the sanitizer owns the heap");
  const Tensor images = Ramp(Shape({512, 14, 14, 1}));
  auto ends = RunAll("digits, 512 images", [&] { return Digits(images); }, 256 << 10, 100);
  CHECK(ends[End::kExhausted] > 0);
  CHECK(ends[End::kOtherError] == 0);
  CHECK(ends[End::kMessage] + ends[End::kNull] == 0);
}

TEST_CASE("a small allocation that fails is an error, or ends the process with a message") {
  if (!kWatchesHeap) MR_SKIP("the sanitizer owns the heap");
  const Tensor images = Ramp(Shape({2, 14, 14, 1})), x = Ramp(Shape({14}));
  RunAll("digits, 2 images", [&] { return Digits(images); }, 0, 100);
  RunAll("quadratic fit", [&] { return Fit(x); }, 0, 100);
}

}  // namespace millrace::testing
