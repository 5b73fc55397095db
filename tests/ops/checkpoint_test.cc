// Kernels that do not split their work look at the run's limit now and then, and stop.
#include "millrace/ops/kernel/checkpoint.h"

#include "millrace/proto/value/strings.h"
#include "millrace/tests/ops/run_op.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

Tensor Floats(const Shape& shape) {
  std::vector<float> values(static_cast<size_t>(*shape.NumElements()));
  uint32_t state = 1;
  for (float& v : values) {
    state = state * 1664525 + 1013904223;
    v = static_cast<float>(state >> 8) / (1 << 24);
  }
  return Tensor::Of<float>(shape, values);
}

// Positive definite.
Tensor Dominated(int64_t n) {
  Tensor t = Floats(Shape({n, n}));
  for (int64_t i = 0; i < n; ++i) t.elements<float>()[static_cast<size_t>(i * (n + 1))] = static_cast<float>(n);
  return t;
}

Tensor Ints(int64_t n) {
  std::vector<int32_t> values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int32_t>(i);
  return Tensor::Of<int32_t>(Shape({n}), values);
}

// The dtype of the first input is attribute T.
OpCall Call(std::string op, std::vector<Tensor> inputs) {
  const AttrValue type = inputs[0].dtype();
  return {.op = std::move(op), .attrs = {{"T", type}}, .inputs = std::move(inputs)};
}
OpCall ScatterCall(std::string op, std::vector<Tensor> inputs) {
  OpCall call = Call(std::move(op), std::move(inputs));
  call.attrs["Tindices"] = call.inputs[1].dtype();
  return call;
}

std::vector<OpCall> LongCalls() {
  const Tensor matrix = Dominated(200), many = Floats(Shape({3'000'000})), indices = Ints(1'000'000);
  const Tensor axis = Tensor::Of<int32_t>(Shape(), {0}), places = Tensor::Of<int32_t>(Shape({800'000, 1}), [] {
                                                           std::vector<int32_t> at(800'000);
                                                           for (size_t i = 0; i < at.size(); ++i)
                                                             at[i] = static_cast<int32_t>(i);
                                                           return at;
                                                         }());
  std::vector<Tensor> texts(2, Tensor::Of<std::string>(Shape({40'000}), std::vector<std::string>(40'000, "ab")));
  // Boxes that do not overlap: each is compared with all that are selected.
  const int64_t boxes = 3000;
  std::vector<float> corners;
  for (int64_t i = 0; i < boxes; ++i) {
    const auto at = static_cast<float>(2 * i);
    for (const float v : {at, at, at + 1, at + 1}) corners.push_back(v);
  }
  return {
      Call("MatrixInverse", {matrix}),
      Call("MatrixSolve", {matrix, matrix}),
      Call("MatrixDeterminant", {matrix}),
      Call("MatrixTriangularSolve", {matrix, matrix}),
      Call("Cholesky", {matrix}),
      Call("Qr", {matrix}),
      {.op = "NonMaxSuppression",
       .inputs = {Tensor::Of<float>(Shape({boxes, 4}), corners), Floats(Shape({boxes})),
                  Tensor::Of<int32_t>(Shape(), {static_cast<int32_t>(boxes)})}},
      Call("TopKV2", {many, Tensor::Of<int32_t>(Shape(), {100'000})}),
      Call("TopKV2", {many, Tensor::Of<int32_t>(Shape(), {1})}),
      Call("Unique", {indices}),
      Call("ListDiff", {indices, indices}),
      Call("Where", {many}),
      {.op = "StringJoin", .attrs = {{"N", int64_t{2}}}, .inputs = texts},
      Call("Cumsum", {many, axis}),
      ScatterCall("TensorScatterAdd", {many, places, Floats(Shape({800'000}))}),
      ScatterCall("TensorScatterUpdate", {many, places, Floats(Shape({800'000}))}),
  };
}

TEST_CASE("long kernels of one piece look at the run's limit, and stop where they look") {
  for (OpCall call : LongCalls()) {
    INFO(call.op);
    std::atomic<int64_t> looks{0};
    call.looks = &looks;
    const auto whole = RunOp(Registry::BuiltIn(), call);
    MR_REQUIRE_OK(whole);
    CHECK(looks >= 4);
    looks = 0;
    call.cancelled_from = 3;
    CHECK(RunOp(Registry::BuiltIn(), call).status().code() == Code::kCancelled);
    // The third, and those on the way out.
    CHECK(looks >= 3);
    CHECK(looks <= 8);
  }
}

TEST_CASE("small calls look once at most") {
  const Tensor axis = Tensor::Of<int32_t>(Shape(), {0});
  for (OpCall call :
       {Call("MatrixInverse", {Dominated(4)}), Call("Unique", {Ints(9)}), Call("Cumsum", {Floats(Shape({9})), axis})}) {
    std::atomic<int64_t> looks{0};
    call.looks = &looks;
    MR_REQUIRE_OK(RunOp(Registry::BuiltIn(), call));
    CHECK(looks <= 1);
  }
}

TEST_CASE("the first of a row come in the order in which a sort has them") {
  const Tensor row = Floats(Shape({1000}));
  const auto x = row.elements<float>();
  std::vector<int32_t> order(1000);
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int32_t>(i);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return x[a] > x[b] || (x[a] == x[b] && a < b); });
  for (const int32_t k : {1, 2, 17, 999, 1000}) {
    const auto top = RunOp(Registry::BuiltIn(), Call("TopKV2", {row, Tensor::Of<int32_t>(Shape(), {k})}));
    MR_REQUIRE_OK(top);
    CHECK(std::equal(order.begin(), order.begin() + k, (*top)[1].elements<int32_t>().begin()));
  }
}

}  // namespace
}  // namespace millrace
