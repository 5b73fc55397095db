// Solvers, factorisations, Einsum and resizing: what they promise of any operands,
// and the same bits for any number of threads.
#include <cmath>
#include <random>

#include "millrace/tests/ops/nn_check.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

Tensor Numbers(const Shape& shape, uint32_t seed, double low = -1, double high = 1) {
  std::mt19937 rng(seed);
  std::uniform_real_distribution<double> numbers(low, high);
  std::vector<double> values(static_cast<size_t>(*shape.NumElements()));
  for (double& v : values) v = numbers(rng);
  return Tensor::Of(shape, values);
}
OpCall CallOf(std::string op, std::vector<Tensor> inputs, AttrMap attrs = {}) {
  OpCall call;
  call.op = std::move(op);
  call.attrs = std::move(attrs);
  call.attrs.emplace("T", inputs[0].dtype());
  call.inputs = std::move(inputs);
  return call;
}
double At(const Tensor& t, int64_t i) { return t.view().as<double>()[i]; }

// Largest difference of a product [count, rows, columns] from `expected`.
double ProductError(const Tensor& a, const Tensor& b, const Tensor& expected, int64_t count, int64_t rows,
                    int64_t inner, int64_t columns) {
  double worst = 0;
  for (int64_t m = 0; m < count; ++m) {
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        double sum = 0;
        for (int64_t k = 0; k < inner; ++k) {
          sum += At(a, (m * rows + i) * inner + k) * At(b, (m * inner + k) * columns + j);
        }
        worst = std::max(worst, std::abs(sum - At(expected, (m * rows + i) * columns + j)));
      }
    }
  }
  return worst;
}

TEST_CASE("what MatrixSolve answers solves the equations, and an inverse is one") {
  const int64_t count = 7, n = GENERATE(1, 2, 9, 40), columns = 3;
  const Tensor a = Numbers(Shape({count, n, n}), 1), b = Numbers(Shape({count, n, columns}), 2);
  const Tensor x = Checked(CallOf("MatrixSolve", {a, b}));
  CHECK(ProductError(a, x, b, count, n, n, columns) < 1e-9);
  const Tensor inverse = Checked(CallOf("MatrixInverse", {a}), 0);
  std::vector<double> eye(static_cast<size_t>(count * n * n), 0.0);
  for (int64_t m = 0; m < count; ++m) {
    for (int64_t i = 0; i < n; ++i) eye[static_cast<size_t>((m * n + i) * n + i)] = 1;
  }
  CHECK(ProductError(a, inverse, Tensor::Of(Shape({count, n, n}), eye), count, n, n, n) < 1e-8);
}

TEST_CASE("a singular matrix is named") {
  const Tensor a = Tensor::Of(Shape({3, 2, 2}), std::vector<double>{1, 0, 0, 1, 2, 0, 0, 3, 1, 2, 2, 4});
  for (const char* op : {"MatrixInverse", "MatrixSolve"}) {
    OpCall call = CallOf(op, {a});
    if (op == std::string_view("MatrixSolve")) call.inputs.push_back(a);
    const Result<std::vector<Tensor>> result = RunOp(Registry::BuiltIn(), call);
    REQUIRE(!result.ok());
    CHECK_THAT(result.status().ToString(), Catch::Matchers::Contains("matrix 2 is not invertible"));
  }
}

TEST_CASE("Cholesky's factor times its transpose is the matrix; NaN where there is none") {
  const int64_t n = 12;
  const Tensor half = Numbers(Shape({2, n, n}), 3);
  OpCall square = CallOf("BatchMatMulV2", {half, half}, {{"adj_y", true}});
  const Tensor a = Only(square), l = Checked(CallOf("Cholesky", {a}), 0);
  CHECK(At(l, 1) == 0);
  square.inputs = {l, l};
  const Tensor again = Only(square);
  double worst = 0;
  for (int64_t i = 0; i < 2 * n * n; ++i) worst = std::max(worst, std::abs(At(again, i) - At(a, i)));
  CHECK(worst < 1e-12);
  const Tensor none = Only(CallOf("Cholesky", {Tensor::Of(Shape({2, 2}), std::vector<double>{1, 2, 2, 1})}));
  CHECK(std::isnan(At(none, 0)));
}

TEST_CASE("Einsum is the sum over all subscripts") {
  // bqhd,bkhd->hbqk by hand.
  const int64_t b = 2, q = 5, k = 6, h = 3, d = 4;
  const Tensor x = Numbers(Shape({b, q, h, d}), 4), y = Numbers(Shape({b, k, h, d}), 5);
  const Tensor out = Checked(CallOf("Einsum", {x, y}, {{"equation", "bqhd,bkhd->hbqk"}, {"N", 2}}));
  double worst = 0;
  for (int64_t ib = 0; ib < b; ++ib) {
    for (int64_t iq = 0; iq < q; ++iq) {
      for (int64_t ik = 0; ik < k; ++ik) {
        for (int64_t ih = 0; ih < h; ++ih) {
          double sum = 0;
          for (int64_t id = 0; id < d; ++id) {
            sum += At(x, ((ib * q + iq) * h + ih) * d + id) * At(y, ((ib * k + ik) * h + ih) * d + id);
          }
          worst = std::max(worst, std::abs(sum - At(out, ((ih * b + ib) * q + iq) * k + ik)));
        }
      }
    }
  }
  CHECK(worst < 1e-14);
}

TEST_CASE("a bad equation is refused with what is wrong in it") {
  const Tensor x = Numbers(Shape({2, 3}), 6);
  const std::pair<const char*, const char*> cases[] = {{"ab", "'->'"},   {"ab->ba->", "'->'"}, {"a?->a", "letters"},
                                                       {"ab->c", "'c'"}, {"abc->a", "rank 3"}, {"aa->a", "3"}};
  for (const auto& [equation, message] : cases) {
    const Result<std::vector<Tensor>> result =
        RunOp(Registry::BuiltIn(), CallOf("Einsum", {x}, {{"equation", equation}, {"N", 1}}));
    REQUIRE(!result.ok());
    CHECK_THAT(result.status().ToString(), Catch::Matchers::Contains(message));
  }
}

TEST_CASE("resized constants stay constant, and gradients keep their sum") {
  const char* const op = GENERATE("ResizeBilinear", "ResizeBicubic", "ResizeArea", "ResizeNearestNeighbor");
  const bool larger = GENERATE(true, false);
  CAPTURE(op, larger);
  const Tensor image = Tensor::Of(Shape({2, 6, 5, 3}), std::vector<float>(180, 2.5f));
  const int32_t height = larger ? 13 : 3, width = larger ? 9 : 2;
  const Tensor size = Tensor::Of(Shape({2}), std::vector<int32_t>{height, width});
  const Tensor out = Checked(CallOf(op, {image, size}));
  REQUIRE(out.shape().dim(1) == height);
  for (int64_t i = 0; i < out.view().num_elements; ++i) CHECK(std::abs(out.view().as<float>()[i] - 2.5f) < 1e-5f);
  if (op == std::string_view("ResizeArea")) return;
  const bool nearest = op == std::string_view("ResizeNearestNeighbor");
  const Tensor original = Tensor::Of(Shape({2}), std::vector<int32_t>{6, 5});
  const Tensor back = Checked(CallOf(std::string(op) + "Grad", {out, nearest ? original : image}));
  double there = 0, here = 0;
  for (int64_t i = 0; i < out.view().num_elements; ++i) there += static_cast<double>(out.view().as<float>()[i]);
  for (int64_t i = 0; i < 180; ++i) here += static_cast<double>(back.view().as<float>()[i]);
  CHECK(here == Approx(there).epsilon(1e-5));
}

TEST_CASE("boxes that overlap a better one are left out") {
  const Tensor boxes = Tensor::Of(
      Shape({4, 4}), std::vector<float>{0, 0, 1, 1, 0, 0.1f, 1, 1.1f, 0, 2, 1, 3, 1, 3, 0, 2 /* corners swapped */});
  const Tensor scores = Tensor::Of(Shape({4}), std::vector<float>{0.5f, 0.9f, 0.7f, NAN});
  const Tensor most = Tensor::Of(Shape(), std::vector<int32_t>{10}),
               overlap = Tensor::Of(Shape(), std::vector<float>{0.5f});
  const Tensor chosen = Only(CallOf("NonMaxSuppressionV2", {boxes, scores, most, overlap}));
  REQUIRE(chosen.view().num_elements == 2);
  CHECK(chosen.view().as<int32_t>()[0] == 1);
  CHECK(chosen.view().as<int32_t>()[1] == 2);
}

}  // namespace
}  // namespace millrace
