// The variable: whole values, copy on write, and access from several threads.
#include "millrace/ops/state/variable.h"

#include <atomic>
#include <thread>
#include <vector>

#include "millrace/tests/test.h"

namespace millrace {
namespace {

Tensor Floats(std::vector<float> values) {
  const int64_t n = static_cast<int64_t>(values.size());
  return Tensor::Of<float>(Shape({n}), values);
}

TEST_CASE("a variable without a value is an error that names it") {
  const VariableResource v("weights", DType::kFloat, Shape({2}));
  CHECK_FALSE(v.initialized());
  const Result<Tensor> value = v.Snapshot();
  REQUIRE_FALSE(value.ok());
  CHECK(value.status().code() == Code::kFailedPrecondition);
  CHECK(value.status().message().find("weights") != std::string_view::npos);
}

TEST_CASE("a variable keeps its dtype, and its shape where asked to") {
  VariableResource v("v", DType::kFloat, Shape({2}));
  CHECK(v.Assign(Floats({1, 2, 3}).view(), true).code() == Code::kInvalidArgument);
  MR_REQUIRE_OK(v.Assign(Floats({1, 2}).view(), true));
  CHECK(v.Assign(Tensor::Of<double>(Shape({2}), {1, 2}).view(), false).code() == Code::kInvalidArgument);
  CHECK(v.Assign(Floats({1, 2, 3}).view(), true).code() == Code::kInvalidArgument);
  MR_REQUIRE_OK(v.Assign(Floats({1, 2, 3}).view(), false));
  CHECK(v.Snapshot()->shape() == Shape({3}));
  v.Clear();
  CHECK_FALSE(v.initialized());
}

TEST_CASE("a write leaves snapshots as they were, and is in place where there are none") {
  VariableResource v("v", DType::kFloat, Shape({2}));
  MR_REQUIRE_OK(v.Assign(Floats({1, 2}).view(), true));
  const void* buffer = v.Snapshot()->data();
  VariableResource* const one[] = {&v};
  {
    VariableUpdate update;
    MR_REQUIRE_OK(update.Lock(one, Code::kFailedPrecondition));
    MR_REQUIRE_OK(update.MakeMutable(0));
    CHECK(update.value(0).data == buffer);
    update.value(0).as<float>()[0] = 10;
  }
  const Tensor held = *v.Snapshot();
  {
    VariableUpdate update;
    MR_REQUIRE_OK(update.Lock(one, Code::kFailedPrecondition));
    MR_REQUIRE_OK(update.MakeMutable(0));
    CHECK(update.value(0).data != buffer);
    update.value(0).as<float>()[1] = 20;
  }
  CHECK(held.elements<float>()[0] == 10);
  CHECK(held.elements<float>()[1] == 2);
  CHECK(v.Snapshot()->elements<float>()[0] == 10);
  CHECK(v.Snapshot()->elements<float>()[1] == 20);
  MR_REQUIRE_OK(v.Assign(Floats({5, 6}).view(), true));
  CHECK(held.elements<float>()[0] == 10);
}

TEST_CASE("strings are copied on write too") {
  VariableResource v("v", DType::kString, Shape({2}));
  MR_REQUIRE_OK(v.Assign(Tensor::Of<std::string>(Shape({2}), {"a", "b"}).view(), true));
  const Tensor held = *v.Snapshot();
  VariableResource* const one[] = {&v};
  {
    VariableUpdate update;
    MR_REQUIRE_OK(update.Lock(one, Code::kFailedPrecondition));
    MR_REQUIRE_OK(update.MakeMutable(0));
    update.value(0).as<std::string>()[0] = "changed";
  }
  CHECK(held.elements<std::string>()[0] == "a");
  CHECK(v.Snapshot()->elements<std::string>()[0] == "changed");
}

// Run under thread sanitizer this shows that in-place writes follow the last
// reader, not only that the sums are right.
TEST_CASE("readers see whole writes while writers go on") {
  constexpr int kElements = 512, kWrites = 400;
  VariableResource a("a", DType::kFloat, Shape({kElements})), b("b", DType::kFloat, Shape({kElements}));
  MR_REQUIRE_OK(a.Assign(Floats(std::vector<float>(kElements, 0)).view(), true));
  MR_REQUIRE_OK(b.Assign(Floats(std::vector<float>(kElements, 0)).view(), true));
  std::atomic<int> torn{0};
  const auto write = [&](bool swapped) {
    VariableResource* const both[] = {swapped ? &b : &a, swapped ? &a : &b};
    for (int i = 0; i < kWrites; ++i) {
      VariableUpdate update;
      if (!update.Lock(both, Code::kInternal).ok()) return;
      for (size_t k = 0; k < 2; ++k) {
        if (!update.MakeMutable(k).ok()) return;
        for (float& x : update.value(k).elements<float>()) x += 1;
      }
    }
  };
  const auto read = [&] {
    for (int i = 0; i < kWrites; ++i) {
      const Result<Tensor> value = (i % 2 == 0 ? a : b).Snapshot();
      if (!value.ok()) return;
      const std::span<float> x = value->elements<float>();
      for (const float y : x) torn += y != x[0];
    }
  };
  std::thread threads[] = {std::thread(write, false), std::thread(write, true), std::thread(read), std::thread(read)};
  for (std::thread& t : threads) t.join();
  CHECK(torn == 0);
  CHECK(a.Snapshot()->elements<float>()[0] == 2 * kWrites);
  CHECK(b.Snapshot()->elements<float>()[kElements - 1] == 2 * kWrites);
}

TEST_CASE("one variable may be named twice in an update") {
  VariableResource v("v", DType::kFloat, Shape({1}));
  MR_REQUIRE_OK(v.Assign(Floats({1}).view(), true));
  VariableResource* const twice[] = {&v, &v};
  VariableUpdate update;
  MR_REQUIRE_OK(update.Lock(twice, Code::kInternal));
  CHECK(update.value(0).data == update.value(1).data);
}

}  // namespace
}  // namespace millrace
