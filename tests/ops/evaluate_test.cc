#include "millrace/ops/kernel/evaluate.h"

#include <limits>

#include "millrace/tests/test.h"

namespace millrace {
namespace {

const Op& BuiltIn(const char* name) { return *Registry::BuiltIn().Find(name); }

TEST_CASE("an evaluation ends soon after it is cancelled, between blocks and within a long one") {
  const Tensor many = Tensor::Of<float>({1 << 20}, std::vector<float>(1 << 20, 2));
  std::vector<float> numbers(200 * 200);
  for (size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<float>(i % 201 == 0) + 0.001f * static_cast<float>(i % 7);
  const Tensor matrix = Tensor::Of<float>({200, 200}, numbers);
  const AttrMap t = {{"T", DType::kFloat}};
  for (const auto& [op, input] : {std::pair<const char*, Tensor>{"Exp", many}, {"Qr", matrix}}) {
    int64_t looks = 0;
    std::vector<Tensor> out;
    MR_REQUIRE_OK(
        Evaluate(BuiltIn(op), t, std::vector<Tensor>{input}, &out, HostAllocator(), [&] { return ++looks < 0; }));
    CHECK(looks > 3);
    const int64_t all = looks;
    looks = 0;
    CHECK(Evaluate(BuiltIn(op), t, std::vector<Tensor>{input}, &out, HostAllocator(), [&] {
            return ++looks > 1;
          }).code() == Code::kCancelled);
    CHECK(looks < all);
  }
}

TEST_CASE("one node on host tensors") {
  const Tensor x = Tensor::Of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  std::vector<Tensor> out;
  MR_REQUIRE_OK(Evaluate(BuiltIn("Reshape"), {{"T", DType::kFloat}},
                         std::vector<Tensor>{x, Tensor::Of<int32_t>({2}, {3, -1})}, &out));
  REQUIRE(out.size() == 1);
  CHECK(out[0].shape() == Shape{3, 2});
  CHECK(out[0].elements<float>()[5] == 6);
  MR_REQUIRE_OK(Evaluate(BuiltIn("ShapeN"), {{"T", DType::kFloat}, {"N", 2}, {"out_type", DType::kInt64}},
                         std::vector<Tensor>{x, out[0]}, &out));
  REQUIRE(out.size() == 2);
  CHECK(out[0].elements<int64_t>()[1] == 3);
  CHECK(out[1].elements<int64_t>()[0] == 3);
  MR_REQUIRE_OK(Evaluate(BuiltIn("Identity"), {{"T", DType::kString}},
                         std::vector<Tensor>{Tensor::Of<std::string>({2}, {"a", std::string(100, 'b')})}, &out));
  CHECK(out[0].elements<std::string>()[1] == std::string(100, 'b'));
  MR_REQUIRE_OK(Evaluate(BuiltIn("Squeeze"), {{"T", DType::kFloat}},
                         std::vector<Tensor>{Tensor::Of<float>({1, 2, 1}, {8, 9})}, &out));
  CHECK(out[0].shape() == Shape{2});
  MR_REQUIRE_OK(Evaluate(BuiltIn("ExpandDims"), {{"T", DType::kFloat}},
                         std::vector<Tensor>{Tensor::Of<float>({0, 2}, {}), Tensor::Scalar<int32_t>(-1)}, &out));
  CHECK(out[0].shape() == Shape{0, 2, 1});
}

TEST_CASE("moves keep denormals") {
  const float tiny = std::numeric_limits<float>::denorm_min();
  std::vector<Tensor> out;
  MR_REQUIRE_OK(Evaluate(BuiltIn("Identity"), {{"T", DType::kFloat}}, std::vector<Tensor>{Tensor::Scalar(tiny)}, &out));
  CHECK(out[0].elements<float>()[0] == tiny);
}

TEST_CASE("what does not fit is refused") {
  const Tensor x = Tensor::Of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  std::vector<Tensor> out;
  const AttrMap t = {{"T", DType::kFloat}};
  CHECK(Evaluate(BuiltIn("Identity"), t, {}, &out).code() == Code::kInvalidArgument);
  CHECK(Evaluate(BuiltIn("Identity"), {{"T", DType::kInt32}}, std::vector<Tensor>{x}, &out).code() ==
        Code::kInvalidArgument);
  CHECK(Evaluate(BuiltIn("Identity"), {}, std::vector<Tensor>{x}, &out).code() == Code::kInvalidArgument);
  CHECK(Evaluate(BuiltIn("Reshape"), t, std::vector<Tensor>{x, Tensor::Of<int32_t>({1}, {5})}, &out).code() ==
        Code::kInvalidArgument);
  CHECK(Evaluate(BuiltIn("Placeholder"), {{"dtype", DType::kFloat}}, {}, &out).code() == Code::kUnimplemented);
  ListValue types;
  types.type = {DType::kFloat};
  CHECK(Evaluate(BuiltIn("Assert"), {{"T", types}}, std::vector<Tensor>{Tensor::Scalar(true), x}, &out).code() ==
        Code::kFailedPrecondition);
}

}  // namespace
}  // namespace millrace
