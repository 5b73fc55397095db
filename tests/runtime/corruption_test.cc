// Plans as bytes: what the writer wrote runs, and damage of any byte is an error
// or changes nothing that matters; never a crash.
#include "millrace/proto/plan/reader.h"
#include "millrace/proto/plan/writer.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/executor/runner.h"
#include "millrace/tests/runtime/plan_builder.h"
#include "millrace/tests/test.h"

namespace millrace::testing {
namespace {

plan::Plan Sample() {
  PlanBuilder b;
  const uint32_t x = b.Feed("x:0", {-1}), c = b.Constant({1}, {2});
  const uint32_t p = b.LateOf("p:0", {plan::kNone}), y = b.Slot("y:0", b.DimsOf(x));
  b.Step("Mul", "y", {x, c}, {y});
  b.Step("Positive", "p", {y}, {p});
  b.Fetch("p:0", p);
  b.Fetch("y:0", b.Alias("z:0", y, b.DimsOf(x)));
  return b.plan;
}

// Loads and runs whatever the bytes are.
void TryToRun(const std::string& bytes) {
  Result<plan::Plan> read = plan::Read(Bytes(bytes), {.check_digests = false});
  if (!read.ok()) return;
  Result<std::unique_ptr<Runner>> runner = Load(*read, 1, 1 << 26);
  if (!runner.ok()) return;
  for (const std::string& name : (*runner)->signatures()) {
    auto callable = (*runner)->Prepare(name);
    if (!callable.ok()) continue;
    std::vector<Tensor> out;
    static_cast<void>((*callable)->Run({Tensor::Of<float>({3}, {1, -2, 3})}, &out));
  }
}

}  // namespace

TEST_CASE("a plan runs from its bytes as from memory") {
  Result<std::string> bytes = plan::Write(Sample());
  MR_REQUIRE_OK(bytes);
  Result<plan::Plan> read = plan::Read(Bytes(*bytes));
  MR_REQUIRE_OK(read);
  auto runner = Load(*read);
  MR_REQUIRE_OK(runner);
  auto callable = (*runner)->Prepare("run");
  MR_REQUIRE_OK(callable);
  std::vector<Tensor> out;
  MR_REQUIRE_OK((*callable)->Run({Tensor::Of<float>({3}, {1, -2, 3})}, &out));
  CHECK(out[0].shape() == Shape({2}));
  CHECK(out[0].elements<float>()[1] == 6);
  CHECK(out[1].elements<float>()[1] == -4);
}

TEST_CASE("Runner names what is wrong with damaged bytes, and the signatures there are") {
  Result<std::string> bytes = plan::Write(Sample());
  MR_REQUIRE_OK(bytes);
  std::string bad = *bytes;
  bad[bad.size() / 2] ^= 0x10;
  CHECK(!Runner::FromBytes(Buffer::Borrow(bad.data(), bad.size())).ok());
  CHECK(!Runner::FromBytes(Buffer::Borrow(bad.data(), 7)).ok());
  CHECK(Runner::FromFile("/nonexistent.plan").status().code() == Code::kNotFound);
  const Status threads = Runner::FromBytes(Buffer(), {.threads = -1}).status();
  CHECK(threads.message() == "threads: expected 0 or more, found -1");
  auto runner = Load(Sample());
  MR_REQUIRE_OK(runner);
  const auto missing = (*runner)->Prepare("train");
  CHECK(missing.status().code() == Code::kNotFound);
  CHECK(missing.status().ToString().find("run") != std::string::npos);
}

TEST_CASE("no damaged byte crashes the loader or a run") {
  Result<std::string> bytes = plan::Write(Sample());
  MR_REQUIRE_OK(bytes);
  for (size_t i = 0; i < bytes->size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string bad = *bytes;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      TryToRun(bad);
    }
  }
  for (size_t n = 0; n < bytes->size(); n += 13) TryToRun(bytes->substr(0, n));
}

}  // namespace millrace::testing
