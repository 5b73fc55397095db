// Products, convolutions, pooling, normalisation, losses, images.
#include "millrace/tests/end_to_end/gradient_cases.h"

namespace millrace::end_to_end {
namespace {

using C = GradientCases;

AttrValue Ints(std::vector<int64_t> values) {
  ListValue list;
  list.i = std::move(values);
  return list;
}

const AttrMap kWindow = {{"strides", Ints({1, 2, 2, 1})}, {"padding", "SAME"}};
const AttrMap kDilated = {{"strides", Ints({1, 1, 1, 1})}, {"padding", "VALID"}, {"dilations", Ints({1, 2, 2, 1})}};
const AttrMap kPooling = {{"ksize", Ints({1, 2, 2, 1})}, {"strides", Ints({1, 1, 1, 1})}, {"padding", "SAME"}};

const Shape kImage({2, 5, 4, 3}), kSmall({2, 3, 2, 3});  // and after a stride of 2
const Operand Extents(const Shape& shape) {
  std::vector<int32_t> v;
  for (int64_t d : shape.dims()) v.push_back(static_cast<int32_t>(d));
  return C::I(v);
}

// Ops that route a gradient by where the maxima are: the results of the forward
// op belong to them.
Ys MaxRouted(C& c, const Shape& grad) {
  const Output image = c.X(kImage);
  return c({image, c.Of("MaxPool", {image}, kPooling), c.X(grad)}, kPooling);
}
Ys MaxRoutedV2(C& c, const Shape& grad) {
  const Output image = c.X(kImage);
  const Operand ksize = C::I({1, 2, 2, 1}), strides = C::I({1, 1, 1, 1});
  const Operation forward = c.Of("MaxPoolV2", {image, ksize, strides}, {{"padding", "SAME"}});
  return c({image, forward, c.X(grad), ksize, strides}, {{"padding", "SAME"}});
}

Ys Normalised(C& c) {
  const Operand none = Tensor::Of<float>(Shape({0}), {});
  return c({c.Float(kImage), c.Float({3}, 0.5, 1), c.Float({3}), none, none}).output(0);
}
Ys NormalisedAsItWas(C& c) {
  // As in the original, none for the statistics.
  return c({c.Float(kImage), c.Float({3}, 0.5, 1), c.Float({3}), Tensor::Of<float>(Shape({3}), {0.1f, -0.2f, 0.3f}),
            Tensor::Of<float>(Shape({3}), {0.7f, 0.9f, 1.2f})},
           {{"is_training", false}})
      .output(0);
}
// The statistics come from the forward op.
Ys NormalisedBack(C& c, const char* forward_op, bool training) {
  const Output image = c.Float(kImage), scale = c.Float({3}, 0.5, 1), dy = c.Float(kImage);
  const Operand none = Tensor::Of<float>(Shape({0}), {});
  const Operand mean = Tensor::Of<float>(Shape({3}), {0.1f, -0.2f, 0.3f});
  const Operand variance = Tensor::Of<float>(Shape({3}), {0.7f, 0.9f, 1.2f});
  const Operation forward =
      c.Of(forward_op,
           {image, scale, Tensor::Of<float>(Shape({3}), {0, 0, 0}), training ? none : mean, training ? none : variance},
           {{"is_training", training}});
  std::vector<Argument> arguments = {dy, image, scale};
  if (training) {
    arguments.insert(arguments.end(), {forward.output(3), forward.output(4)});
  } else {
    arguments.insert(arguments.end(), {mean, variance});
  }
  if (forward.num_outputs() > 5) arguments.emplace_back(forward.output(5));
  const Operation back = c(arguments, {{"is_training", training}});
  return std::vector<Output>{back.output(0), back.output(1), back.output(2)};
}

Ys Resized(C& c) { return c({c.Float({1, 3, 4, 2}), C::I({5, 7})}); }
Ys ResizedHalfPixels(C& c) { return c({c.Float({1, 3, 4, 2}), C::I({5, 7})}, {{"half_pixel_centers", true}}); }
Ys ResizedBack(C& c) {
  return c({c.Float({1, 5, 7, 2}), Tensor::Of<float>(Shape({1, 3, 4, 2}), std::vector<float>(24))});
}

Ys Product(C& c) { return c({c.X({2, 3}), c.X({3, 4})}); }
Ys ProductTransposed(C& c) { return c({c.X({3, 2}), c.X({4, 3})}, {{"transpose_a", true}, {"transpose_b", true}}); }
Ys ProductComplex(C& c) { return c({c.Complex({2, 3}), c.Complex({4, 3})}, {{"transpose_b", true}}); }
Ys Batch(C& c) { return c({c.X({2, 2, 3}), c.X({2, 4, 3})}, {{"adj_y", true}}); }
Ys BatchAdjoint(C& c) { return c({c.Complex({2, 3, 2}), c.Complex({2, 3, 4})}, {{"adj_x", true}}); }
Ys BatchBroadcast(C& c) { return c({c.X({3, 1, 2, 3}), c.X({2, 3, 4})}); }

// Matrices that are far from singular; symmetric ones that are positive definite.
Output Regular(C& c, const Output& x) {
  return c.Of("AddV2", {x, Tensor::Of<double>(Shape({3, 3}), {3, 0, 0, 0, 3, 0, 0, 0, -3})}).output(0);
}
Output Definite(C& c) {
  const Output x = Regular(c, c.X({2, 3, 3}));
  return c.Of("BatchMatMul", {x, x}, {{"adj_y", true}}).output(0);
}
Ys OfMatrix(C& c) { return c({Regular(c, c.X({2, 3, 3}))}); }
Ys Solved(C& c) { return c({Regular(c, c.X({2, 3, 3})), c.X({2, 3, 2})}); }
Ys SolvedAdjoint(C& c) { return c({Regular(c, c.X({2, 3, 3})), c.X({2, 3, 2})}, {{"adjoint", true}}); }

}  // namespace

std::vector<GradientTableCase> NetworkGradientCases() {
  return {
      {"AvgPool", [](C& c) -> Ys { return c({c.X(kImage)}, kPooling); }},
      {"AvgPoolGrad", [](C& c) -> Ys { return c({Extents(kImage), c.X(kImage)}, kPooling); }},
      {"BatchMatMul", Batch},
      {"BatchMatMul", BatchAdjoint},
      {"BatchMatMulV2", Batch},
      {"BatchMatMulV2", BatchBroadcast},
      {"BatchMatMulV3", [](C& c) -> Ys { return c({c.X({3, 1, 2, 3}), c.X({2, 3, 4})}, {{"Tout", DType::kDouble}}); }},
      {"Cholesky", [](C& c) -> Ys { return c({Definite(c)}); }},
      {"Conv2D", [](C& c) -> Ys { return c({c.X(kImage), c.X({3, 2, 3, 2})}, kWindow); }},
      {"Conv2D", [](C& c) -> Ys { return c({c.X({1, 6, 5, 2}), c.X({2, 2, 2, 3})}, kDilated); }},
      {"Conv2DBackpropFilter",
       [](C& c) -> Ys { return c({c.X(kImage), C::I({3, 2, 3, 2}), c.X({2, 3, 2, 2})}, kWindow); }},
      {"Conv2DBackpropInput",
       [](C& c) -> Ys { return c({Extents(kImage), c.X({3, 2, 3, 2}), c.X({2, 3, 2, 2})}, kWindow); }},
      {"DepthwiseConv2dNative", [](C& c) -> Ys { return c({c.X(kImage), c.X({3, 2, 3, 2})}, kWindow); }},
      {"DepthwiseConv2dNativeBackpropFilter",
       [](C& c) -> Ys { return c({c.X(kImage), C::I({3, 2, 3, 2}), c.X({2, 3, 2, 6})}, kWindow); }},
      {"DepthwiseConv2dNativeBackpropInput",
       [](C& c) -> Ys { return c({Extents(kImage), c.X({3, 2, 3, 2}), c.X({2, 3, 2, 6})}, kWindow); }},
      {"Einsum", [](C& c) -> Ys { return c({Operands{c.X({2, 3}), c.X({4, 3})}}, {{"equation", "ij,kj->ki"}}); }},
      {"Einsum",
       [](C& c) -> Ys {
         return c({Operands{c.X({2, 1, 3, 2}), c.X({4, 2, 3})}}, {{"equation", "...ij,...jk->i..."}});
       }},
      {"Einsum", [](C& c) -> Ys { return c({Operands{c.X({3, 3, 2})}}, {{"equation", "iij->ji"}}); }},
      {"FusedBatchNorm", Normalised},
      {"FusedBatchNorm", NormalisedAsItWas},
      {"FusedBatchNormV2", Normalised},
      {"FusedBatchNormV3", Normalised},
      {"FusedBatchNormV3", NormalisedAsItWas},
      {"FusedBatchNormGrad", [](C& c) { return NormalisedBack(c, "FusedBatchNorm", true); }},
      {"FusedBatchNormGradV2", [](C& c) { return NormalisedBack(c, "FusedBatchNormV2", true); }},
      {"FusedBatchNormGradV3", [](C& c) { return NormalisedBack(c, "FusedBatchNormV3", true); }},
      {"FusedBatchNormGradV3", [](C& c) { return NormalisedBack(c, "FusedBatchNormV3", false); }},
      {"LRN", [](C& c) -> Ys { return c({c.Float({1, 2, 2, 7})}, {{"depth_radius", 2}, {"alpha", 0.5f}}); }},
      {"LogMatrixDeterminant", OfMatrix},
      {"LogSoftmax", [](C& c) -> Ys { return c({c.X({3, 5})}); }},
      {"MatMul", Product},
      {"MatMul", ProductTransposed},
      {"MatMul", ProductComplex},
      {"MatrixDeterminant", OfMatrix},
      {"MatrixInverse", OfMatrix},
      {"MatrixSolve", Solved},
      {"MatrixSolve", SolvedAdjoint},
      {"MatrixTriangularSolve", Solved},
      {"MatrixTriangularSolve", SolvedAdjoint},
      {"MaxPool", [](C& c) -> Ys { return c({c.X(kImage)}, kPooling); }},
      {"MaxPoolGrad", [](C& c) { return MaxRouted(c, kImage); }},
      {"MaxPoolGradGrad", [](C& c) { return MaxRouted(c, kImage); }},
      {"MaxPoolGradGradV2", [](C& c) { return MaxRoutedV2(c, kImage); }},
      {"MaxPoolGradV2", [](C& c) { return MaxRoutedV2(c, kImage); }},
      {"MaxPoolV2",
       [](C& c) -> Ys { return c({c.X(kImage), C::I({1, 2, 2, 1}), C::I({1, 2, 1, 1})}, {{"padding", "VALID"}}); }},
      {"MaxPoolWithArgmax", [](C& c) -> Ys { return c({c.X(kImage)}, kPooling); }},
      {"Qr", [](C& c) -> Ys { return c({c.X({2, 4, 3})}); }},
      {"Qr", [](C& c) -> Ys { return c({c.X({2, 4})}); }},
      {"Qr", [](C& c) -> Ys { return c({c.Complex({3, 3})}); }},
      {"ResizeBicubic", Resized},
      {"ResizeBicubic", ResizedHalfPixels},
      {"ResizeBicubicGrad", ResizedBack},
      {"ResizeBilinear", Resized},
      {"ResizeBilinear", ResizedHalfPixels},
      {"ResizeBilinearGrad", ResizedBack},
      {"ResizeNearestNeighbor", Resized},
      {"ResizeNearestNeighborGrad", [](C& c) -> Ys { return c({c.X({1, 5, 7, 2}), C::I({3, 4})}); }},
      {"Softmax", [](C& c) -> Ys { return c({c.X({3, 5})}); }},
      // The labels of a row sum to 1, as the op expects.
      {"SoftmaxCrossEntropyWithLogits", [](C& c) -> Ys { return c({c.X({3, 5}), c.Of("Softmax", {c.X({3, 5})})}); }},
      {"SoftmaxCrossEntropyWithLogits", [](C& c) -> Ys { return c({c.X({3, 5}), c.Of("Softmax", {c.X({1, 5})})}); }},
      {"SparseSoftmaxCrossEntropyWithLogits", [](C& c) -> Ys { return c({c.X({3, 5}), C::I({4, 0, 2})}); }},
  };
}

}  // namespace millrace::end_to_end
