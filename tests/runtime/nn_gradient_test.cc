// Gradients of networks and matrix products against differences, first and second
// order: windows, formats, groups and dilations that the recorded cases leave out.
#include <random>

#include "millrace/ops/builder/ops.h"
#include "millrace/ops/gradients/gradient.h"
#include "millrace/runtime/session/gradient_checker.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

constexpr double kDouble = 1e-6, kFloat = 2e-2;

Output Input(const Scope& scope, const char* name, const Shape& shape, DType dtype = DType::kDouble) {
  return ops::Placeholder(scope.WithOpName(name), dtype, {.shape = shape});
}

double Worst(const std::vector<Output>& ys, const std::vector<Output>& xs, const GradientCheckOptions& options = {}) {
  MR_REQUIRE_OK(Scope::Of(xs[0]).status());
  const Result<GradientCheck> check = CheckGradient(ys, xs, options);
  MR_REQUIRE_OK(check);
  UNSCOPED_INFO(check->ToString());
  CHECK(check->checked > 0);
  return check->worst_error;
}

// The gradients of y, for a seed that is one more x, against differences of them.
double SecondOrder(const Scope& scope, const Output& y, std::vector<Output> xs,
                   const GradientCheckOptions& options = {}) {
  const Output seed = Input(scope, "seed", y.shape().ToShape(), y.dtype());
  GradientOptions gradients;
  gradients.grad_ys = {seed};
  std::vector<Output> ys;
  for (const Gradient& g : Gradients(scope, {y}, xs, gradients)) {
    if (!g.none()) ys.push_back(g.ToDense(scope));
  }
  REQUIRE(scope.ok());
  REQUIRE(!ys.empty());
  xs.push_back(seed);
  return Worst(ys, xs, options);
}

Tensor Random(const Shape& shape, uint32_t seed) {
  std::mt19937 rng(seed);
  std::vector<double> values(static_cast<size_t>(*shape.NumElements()));
  for (double& v : values) v = static_cast<double>(rng()) / 2e9 - 1;
  return Tensor::Of(shape, values);
}

Shape Image(bool nchw, int64_t height, int64_t width, int64_t channels) {
  return nchw ? Shape({2, channels, height, width}) : Shape({2, height, width, channels});
}
std::vector<int64_t> Four(bool nchw, int64_t height, int64_t width) {
  return nchw ? std::vector<int64_t>{1, 1, height, width} : std::vector<int64_t>{1, height, width, 1};
}

TEST_CASE("gradients of a convolution are right for any window, and so are theirs") {
  const bool nchw = GENERATE(false, true);
  const char* const padding = GENERATE("SAME", "VALID", "EXPLICIT");
  const bool dilated = GENERATE(false, true), strided = GENERATE(false, true);
  const int64_t groups = GENERATE(1, 2);
  CAPTURE(nchw, padding, dilated, strided, groups);
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x", Image(nchw, 6, 5, 2 * groups));
  const Output w = Input(scope, "w", Shape({3, 2, 2, 2 * groups}));
  ops::Conv2DAttrs attrs;
  attrs.data_format = nchw ? "NCHW" : "NHWC";
  if (dilated) attrs.dilations = Four(nchw, 2, 3);
  if (padding == std::string_view("EXPLICIT")) {
    attrs.explicit_paddings.assign(8, 0);
    attrs.explicit_paddings[nchw ? 4 : 2] = 1;
    attrs.explicit_paddings[nchw ? 7 : 5] = 2;
  }
  const Output y = ops::Conv2D(scope, x, w, strided ? Four(nchw, 2, 3) : Four(nchw, 1, 1), padding, attrs);
  CHECK(Worst({y}, {x, w}) < kDouble);
  CHECK(SecondOrder(scope, y, {x, w}) < kDouble);
}

TEST_CASE("gradients of a depthwise convolution are right also where it is dilated") {
  const bool nchw = GENERATE(false, true);
  const char* const padding = GENERATE("SAME", "VALID");
  const int64_t height = GENERATE(1, 2), width = GENERATE(1, 3), stride = GENERATE(1, 2);
  CAPTURE(nchw, padding, height, width, stride);
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x", Image(nchw, 7, 6, 3)), w = Input(scope, "w", Shape({3, 2, 3, 2}));
  const Output y =
      ops::DepthwiseConv2dNative(scope, x, w, Four(nchw, stride, stride), padding,
                                 {.data_format = nchw ? "NCHW" : "NHWC", .dilations = Four(nchw, height, width)});
  CHECK(Worst({y}, {x, w}) < kDouble);
  CHECK(SecondOrder(scope, y, {x, w}) < kDouble);
}

TEST_CASE("gradients of pooling are right, and so are theirs") {
  const bool nchw = GENERATE(false, true);
  const char* const padding = GENERATE("SAME", "VALID");
  CAPTURE(nchw, padding);
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x", Image(nchw, 5, 6, 3));
  const std::vector<int64_t> window = Four(nchw, 3, 2), stride = Four(nchw, 2, 2);
  const std::string format = nchw ? "NCHW" : "NHWC";
  const std::vector<int> window_operand(window.begin(), window.end()), stride_operand(stride.begin(), stride.end());
  const Output average = ops::AvgPool(scope, x, window, stride, padding, {.data_format = format});
  const Output most = ops::MaxPool(scope, x, window, stride, padding, {.data_format = format});
  const Output most_v2 = ops::MaxPoolV2(scope, x, window_operand, stride_operand, padding, {.data_format = format});
  CHECK(Worst({average, most, most_v2}, {x}) < kDouble);
  for (const Output& y : {average, most, most_v2}) CHECK(SecondOrder(scope, y, {x}) < kDouble);
  if (!nchw) CHECK(Worst({ops::MaxPoolWithArgmax(scope, x, window, stride, padding).output}, {x}) < kDouble);
}

TEST_CASE("the second derivative of pooling can be differentiated") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x", Shape({1, 4, 4, 1})), y = Input(scope, "y", Shape({1, 2, 2, 1}));
  const Output image = Input(scope, "image", Shape({1, 4, 4, 1}));
  // Where the maxima are is given; only what is sent there counts.
  const Output pooled = ops::MaxPool(scope, image, {1, 2, 2, 1}, {1, 2, 2, 1}, "VALID");
  const Output back = ops::MaxPoolGrad(scope, image, pooled, y, {1, 2, 2, 1}, {1, 2, 2, 1}, "VALID");
  const Output forth = ops::MaxPoolGradGrad(scope, image, pooled, x, {1, 2, 2, 1}, {1, 2, 2, 1}, "VALID");
  const Output back_v2 = ops::MaxPoolGradV2(scope, image, pooled, y, {1, 2, 2, 1}, {1, 2, 2, 1}, "VALID");
  const Output forth_v2 = ops::MaxPoolGradGradV2(scope, image, pooled, x, {1, 2, 2, 1}, {1, 2, 2, 1}, "VALID");
  CHECK(Worst({back, forth, back_v2, forth_v2}, {x, y, image}) < kDouble);
}

TEST_CASE("gradients of softmax are right, and so are theirs") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x", Shape({2, 3, 4}));
  const Output y = ops::Softmax(scope, x), log = ops::LogSoftmax(scope, x);
  CHECK(Worst({y, log}, {x}) < kDouble);
  CHECK(SecondOrder(scope, y, {x}) < kDouble);
  CHECK(SecondOrder(scope, log, {x}) < kDouble);
}

TEST_CASE("gradients of the losses are right for both operands, broadcast or not, and so are theirs") {
  const int64_t feature_rows = GENERATE(1, 3), label_columns = GENERATE(1, 4);
  CAPTURE(feature_rows, label_columns);
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x", Shape({feature_rows, 4}));
  const Output labels = Input(scope, "labels", Shape({3, label_columns}));
  const auto both = ops::SoftmaxCrossEntropyWithLogits(scope, x, labels);
  const Output features = Const(scope, Random(Shape({feature_rows, 4}), 1));
  CHECK(Worst({ops::SoftmaxCrossEntropyWithLogits(scope, features, labels).loss}, {labels}) < kDouble);
  CHECK(Worst({both.backprop}, {x, labels}) < kDouble);
  CHECK(SecondOrder(scope, both.loss, {x, labels}) < kDouble);
  // By the features the op means labels of sum 1.
  const Output shares = label_columns == 1 ? Const(scope, {{0.25}, {0.25}, {0.25}}, DType::kDouble)
                                           : ops::Softmax(scope, Random(Shape({3, 4}), 2));
  CHECK(Worst({ops::SoftmaxCrossEntropyWithLogits(scope, x, shares).loss}, {x}) < kDouble);
  if (feature_rows == 3) {
    const auto sparse = ops::SparseSoftmaxCrossEntropyWithLogits(scope, x, {0, 3, 1});
    CHECK(Worst({sparse.loss, sparse.backprop}, {x}) < kDouble);
    CHECK(SecondOrder(scope.NewSubScope("sparse"), sparse.loss, {x}) < kDouble);
  }
}

TEST_CASE("gradients of batch normalisation are right, and so are theirs") {
  const bool training = GENERATE(true, false), nchw = GENERATE(false, true);
  const int version = GENERATE(1, 2, 3);
  CAPTURE(training, nchw, version);
  const Scope scope = Scope::NewRoot();
  // The op computes in float alone.
  const Output x = Input(scope, "x", Image(nchw, 2, 3, 3), DType::kFloat);
  const Output scale = Input(scope, "scale", Shape({3}), DType::kFloat);
  const Output offset = Input(scope, "offset", Shape({3}), DType::kFloat);
  const Operand mean(std::vector<float>{0.5f, 0, -0.5f}), variance(std::vector<float>{1, 2, 0.5f});
  const std::string format = nchw ? "NCHW" : "NHWC";
  Output y;
  if (version == 1) {
    y = ops::FusedBatchNorm(scope, x, scale, offset, mean, variance,
                            {.epsilon = 0.1f, .data_format = format, .is_training = training})
            .y;
  } else if (version == 2) {
    y = ops::FusedBatchNormV2(scope, x, scale, offset, mean, variance,
                              {.epsilon = 0.1f, .data_format = format, .is_training = training})
            .y;
  } else {
    y = ops::FusedBatchNormV3(scope, x, scale, offset, mean, variance,
                              {.epsilon = 0.1f, .data_format = format, .is_training = training})
            .y;
  }
  CHECK(Worst({y}, {x, scale, offset}) < kFloat);
  CHECK(SecondOrder(scope, y, {x, scale, offset}) < kFloat);
}

TEST_CASE("gradients of the other normalisations are right") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x", Shape({2, 2, 2, 5}), DType::kFloat);
  CHECK(Worst({ops::LRN(scope, x, {.depth_radius = 2, .bias = 1.5f, .alpha = 0.7f, .beta = 0.6f})}, {x}) < kFloat);
  const Output v = Input(scope, "v", Shape({7}));
  CHECK(Worst({ops::L2Loss(scope, v)}, {v}) < kDouble);
}

TEST_CASE("the gradient of LRN's gradient is refused by name") {
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x", Shape({1, 2, 2, 5}), DType::kFloat);
  const Output y = ops::LRN(scope.WithOpName("norm"), x);
  const std::vector<Gradient> once = Gradients(scope, {y}, {x});
  REQUIRE(scope.ok());
  Gradients(scope, {once[0].dense()}, {x});
  CHECK_THAT(scope.status().ToString(), Catch::Matchers::Contains("LRNGrad"));
}

TEST_CASE("gradients of matrix products are right for all transpositions, complex too") {
  const bool ta = GENERATE(false, true), tb = GENERATE(false, true);
  const DType dtype = GENERATE(DType::kDouble, DType::kComplex128);
  CAPTURE(ta, tb, dtype);
  const Scope scope = Scope::NewRoot();
  const Output a = Input(scope, "a", ta ? Shape({4, 2}) : Shape({2, 4}), dtype);
  const Output b = Input(scope, "b", tb ? Shape({3, 4}) : Shape({4, 3}), dtype);
  const Output y = ops::MatMul(scope, a, b, {.transpose_a = ta, .transpose_b = tb});
  CHECK(Worst({y}, {a, b}) < kDouble);
  CHECK(SecondOrder(scope, y, {a, b}) < kDouble);
  const Output v2 = ops::BatchMatMulV2(scope, a, b, {.adj_x = ta, .adj_y = tb});
  const Output v3 = ops::BatchMatMulV3(scope, a, b, dtype, {.adj_x = ta, .adj_y = tb});
  CHECK(Worst({v2, v3}, {a, b}) < kDouble);
}

TEST_CASE("gradients of products of batches sum over what was broadcast, of any shape at the run") {
  const bool known = GENERATE(true, false);
  CAPTURE(known);
  const Scope scope = Scope::NewRoot();
  const Shape shapes[] = {Shape({2, 1, 3, 4}), Shape({5, 4, 2})};
  const Output x = Input(scope, "x", known ? shapes[0] : Shape::UnknownRank()),
               y = Input(scope, "y", known ? shapes[1] : Shape::UnknownRank());
  const Output out = ops::BatchMatMulV2(scope, x, y);
  GradientCheckOptions options;
  if (!known) options.feeds = {{x, Random(shapes[0], 1)}, {y, Random(shapes[1], 2)}};
  CHECK(Worst({out}, {x, y}, options) < kDouble);
}

TEST_CASE("gradients of solvers and factors are right, and so are theirs") {
  const DType dtype = GENERATE(DType::kDouble, DType::kComplex128);
  const bool adjoint = GENERATE(false, true);
  CAPTURE(dtype, adjoint);
  const Scope scope = Scope::NewRoot();
  const Output x = Input(scope, "x", Shape({2, 3, 3}), dtype), b = Input(scope, "b", Shape({2, 3, 2}), dtype);
  // Well away from singular, and positive definite.
  const Output eye = ops::Cast(scope, ops::MatrixDiag(scope, {1.0, 1.0, 1.0}), dtype);
  const Output a = x + eye * 4, definite = ops::BatchMatMulV2(scope, x, x, {.adj_y = true}) + eye;
  const Output one_right = Input(scope, "right", Shape({3, 2}), dtype);
  const std::vector<Output> ys = {
      ops::MatrixInverse(scope, a, {.adjoint = adjoint}),
      ops::MatrixSolve(scope, a, b, {.adjoint = adjoint}),
      ops::MatrixTriangularSolve(scope, a, one_right, {.lower = true, .adjoint = adjoint}),
      ops::MatrixTriangularSolve(scope, a, b, {.lower = false, .adjoint = adjoint}),
      ops::Cholesky(scope, definite),
  };
  CHECK(Worst(ys, {x, b, one_right}) < kDouble);
  CHECK(SecondOrder(scope, ys[0], {x}) < kDouble);
  CHECK(SecondOrder(scope, ys[1], {x, b}) < kDouble);
  CHECK(SecondOrder(scope, ys[3], {x, b}) < kDouble);
  if (dtype == DType::kDouble) {
    const Output determinant = ops::MatrixDeterminant(scope, a);
    CHECK(Worst({determinant, ops::LogMatrixDeterminant(scope, a).log_abs_determinant}, {x}) < kDouble);
    CHECK(SecondOrder(scope, determinant, {x}) < kDouble);
  }
}

TEST_CASE("gradients of Einsum are right: sums, diagonals, broadcasting, any rank, complex") {
  struct Case {
    const char* equation;
    Shape a, b;
  };
  const Case cases[] = {
      {"ab,bc->ac", {2, 3}, {3, 4}},
      {"bqhd,bkhd->bhqk", {2, 3, 2, 4}, {2, 5, 2, 4}},
      {"iij,jk->k", {3, 3, 2}, {2, 4}},
      {"abc,b->", {2, 3, 2}, {3}},
      {"ab,c->ba", {2, 3}, {4}},
      {"...ab,...bc->...ac", {2, 1, 3, 2}, {3, 2, 2}},
      {"a...b,b->...a", {2, 3, 2, 4}, {4}},
      {"ab,ab->aab", {2, 3}, {2, 3}},
      {"a...,a->a", {2, 3, 2}, {2}},
  };
  const size_t which = GENERATE(range(size_t{0}, size_t{9}));
  const bool known = GENERATE(true, false);
  const Case& c = cases[which];
  CAPTURE(c.equation, known);
  const Scope scope = Scope::NewRoot();
  const Output a = Input(scope, "a", known ? c.a : Shape::UnknownRank());
  const Output b = Input(scope, "b", known ? c.b : Shape::UnknownRank());
  GradientCheckOptions options;
  options.feeds = {{a, Random(c.a, 1)}, {b, Random(c.b, 2)}};
  const Output y = ops::Einsum(scope, {a, b}, c.equation);
  CHECK(Worst({y}, {a, b}, options) < kDouble);
  if (known) CHECK(SecondOrder(scope, y, {a, b}) < kDouble);
  if (!known) return;
  const Output p = Input(scope, "p", c.a, DType::kComplex128), q = Input(scope, "q", c.b, DType::kComplex128);
  CHECK(Worst({ops::Einsum(scope, {p, q}, c.equation)}, {p, q}) < kDouble);
}

TEST_CASE("gradients of resizing are right, and so are theirs") {
  const int mode = GENERATE(0, 1, 2);
  CAPTURE(mode);
  const Scope scope = Scope::NewRoot();
  // Answers float, whatever the image is.
  const Output x = Input(scope, "x", Shape({2, 3, 4, 2}), DType::kFloat);
  const bool corners = mode == 1, centres = mode == 2;
  const std::vector<int> size = {5, 3};
  const Output nearest =
      ops::ResizeNearestNeighbor(scope, x, size, {.align_corners = corners, .half_pixel_centers = centres});
  const Output linear = ops::ResizeBilinear(scope, x, size, {.align_corners = corners, .half_pixel_centers = centres});
  const Output cubic = ops::ResizeBicubic(scope, x, size, {.align_corners = corners, .half_pixel_centers = centres});
  GradientCheckOptions in_float;
  in_float.in_double = false;
  for (const Output& y : {nearest, linear, cubic}) {
    CHECK(Worst({y}, {x}, in_float) < kFloat);
    CHECK(SecondOrder(scope, y, {x}, in_float) < kFloat);
  }
}

}  // namespace
}  // namespace millrace
