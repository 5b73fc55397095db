// Element-wise ops, reductions, scans.
#include "millrace/tests/end_to_end/gradient_cases.h"

namespace millrace::end_to_end {
namespace {

using C = GradientCases;

Ys Unary(C& c) { return c({c.X({2, 3})}); }
Ys Inside(C& c) { return c({c.X({2, 3}, -0.9, 0.9)}); }
Ys Positive(C& c) { return c({c.X({2, 3}, 0.2, 2)}); }
Ys AboveOne(C& c) { return c({c.X({2, 3}, 1.2, 3)}); }
Ys UnaryComplex(C& c) { return c({c.Complex({2, 3})}); }
// With a broadcast.
Ys Binary(C& c) { return c({c.X({2, 3}), c.X({3})}); }
Ys BinaryColumn(C& c) { return c({c.X({2, 1}), c.X({4, 1, 3})}); }
Ys BinaryPositive(C& c) { return c({c.X({2, 3}, 0.3, 2), c.X({1, 3}, 0.3, 2)}); }
Ys BinaryComplex(C& c) { return c({c.Complex({2, 3}), c.Complex({3})}); }
Ys Like(C& c) { return c({c.X({2, 3}), c.X({2, 3})}); }  // no broadcast
Ys LikePositive(C& c) { return c({c.X({2, 3}, 0.2, 0.9), c.X({2, 3})}); }
Ys Reduction(C& c) { return c({c.X({2, 3, 2}), C::I({0, 2})}); }
Ys ReductionKept(C& c) { return c({c.X({2, 3, 2}), C::I({1})}, {{"keep_dims", true}}); }
Ys ReductionOfAll(C& c) { return c({c.X({2, 3}), C::I({-1, 0})}); }
Ys Scan(C& c) { return c({c.X({3, 4}, 0.3, 2), C::S(1)}); }
Ys ScanOtherwise(C& c) { return c({c.X({3, 4}), C::S(0)}, {{"exclusive", true}, {"reverse", true}}); }

}  // namespace

std::vector<GradientTableCase> MathGradientCases() {
  return {
      {"Abs", Unary},
      {"Acos", Inside},
      {"Acosh", AboveOne},
      {"Add", Binary},
      {"AddN", [](C& c) -> Ys { return c({Operands{c.X({2, 3}), c.X({2, 3}), c.X({2, 3})}}); }},
      {"AddV2", BinaryColumn},
      {"Angle", UnaryComplex},
      {"Asin", Inside},
      {"Asinh", Unary},
      {"Atan", Unary},
      {"Atan2", Binary},
      {"Atanh", Inside},
      {"BiasAdd", [](C& c) -> Ys { return c({c.X({2, 3, 4}), c.X({4})}); }},
      {"BiasAdd", [](C& c) -> Ys { return c({c.X({2, 3, 4, 5}), c.X({3})}, {{"data_format", "NCHW"}}); }},
      {"BiasAddGrad", [](C& c) -> Ys { return c({c.X({2, 3, 4})}); }},
      {"BiasAddGrad", [](C& c) -> Ys { return c({c.X({2, 3, 4, 5})}, {{"data_format", "NCHW"}}); }},
      {"BiasAddV1", [](C& c) -> Ys { return c({c.X({2, 3}), c.X({3})}); }},
      {"Cast", [](C& c) -> Ys { return c({c.X({2, 3})}, {{"DstT", DType::kFloat}}); }},
      {"Cast", [](C& c) -> Ys { return c({c.X({2, 3})}, {{"DstT", DType::kComplex128}}); }},
      {"ClipByValue", [](C& c) -> Ys { return c({c.X({20}, -2, 2), c.X({}, -0.9, -0.5), c.X({}, 0.5, 0.9)}); }},
      {"Complex", Like},
      {"ComplexAbs", UnaryComplex},
      {"Conj", UnaryComplex},
      {"Cos", Unary},
      {"Cosh", Unary},
      {"Cross", Like},
      {"Cumprod", Scan},
      {"Cumprod", ScanOtherwise},
      {"Cumsum", Scan},
      {"Cumsum", ScanOtherwise},
      {"CumulativeLogsumexp", Scan},
      {"CumulativeLogsumexp", [](C& c) -> Ys { return c({c.X({3, 4}), C::S(0)}, {{"reverse", true}}); }},
      {"Digamma", Positive},
      {"Div", BinaryPositive},
      {"DivNoNan", BinaryPositive},
      {"Elu", Unary},
      {"EluGrad", Like},
      {"Erf", Unary},
      {"Erfc", Unary},
      {"Erfinv", Inside},
      {"EuclideanNorm", Reduction},
      {"EuclideanNorm", ReductionKept},
      {"Exp", Unary},
      {"Exp", UnaryComplex},
      {"Expm1", Unary},
      {"FloorMod", [](C& c) -> Ys { return c({c.X({2, 3}, 2.1, 2.9), c.X({3}, 0.9, 0.95)}); }},
      {"Imag", UnaryComplex},
      {"Inv", Positive},
      {"InvGrad", LikePositive},
      {"L2Loss", Unary},
      {"LeakyRelu", [](C& c) -> Ys { return c({c.X({2, 3})}, {{"alpha", 0.3f}}); }},
      {"LeakyReluGrad", [](C& c) -> Ys { return c({c.X({2, 3}), c.X({2, 3})}, {{"alpha", 0.3f}}); }},
      {"Lgamma", Positive},
      {"Log", Positive},
      {"Log", UnaryComplex},
      {"Log1p", Inside},
      {"Max", Reduction},
      {"Max", ReductionKept},
      {"Maximum", Binary},
      {"Mean", Reduction},
      {"Mean", ReductionKept},
      {"Min", Reduction},
      {"Min", ReductionOfAll},
      {"Minimum", Binary},
      {"Mul", Binary},
      {"Mul", BinaryComplex},
      {"MulNoNan", Binary},
      {"Ndtri", [](C& c) -> Ys { return c({c.X({2, 3}, 0.1, 0.9)}); }},
      {"Neg", Unary},
      {"NextAfter", Binary},
      {"Polygamma", [](C& c) -> Ys { return c({Tensor::Scalar<double>(2), c.X({2, 3}, 0.5, 2)}); }},
      {"Pow", BinaryPositive},
      {"Prod", Reduction},
      {"Prod", ReductionKept},
      {"Real", UnaryComplex},
      {"RealDiv", BinaryPositive},
      {"RealDiv", BinaryComplex},
      {"Reciprocal", Positive},
      {"ReciprocalGrad", LikePositive},
      {"Relu", Unary},
      {"Relu6", [](C& c) -> Ys { return c({c.X({20}, -3, 9)}); }},
      {"Relu6Grad", [](C& c) -> Ys { return c({c.X({20}), c.X({20}, -3, 9)}); }},
      {"ReluGrad", Like},
      {"Rsqrt", Positive},
      {"RsqrtGrad", LikePositive},
      {"Select",
       [](C& c) -> Ys { return c({C::B({2, 3}, {true, false, false, true, true, false}), c.X({2, 3}), c.X({2, 3})}); }},
      {"Select", [](C& c) -> Ys { return c({C::B({2}, {true, false}), c.X({2, 3}), c.X({2, 3})}); }},
      {"SelectV2", [](C& c) -> Ys { return c({C::B({2, 1}, {true, false}), c.X({3}), c.X({4, 1, 3})}); }},
      {"Selu", Unary},
      {"SeluGrad", Like},
      {"Sigmoid", Unary},
      {"Sigmoid", UnaryComplex},
      {"SigmoidGrad", LikePositive},
      {"Sign", Unary},
      {"Sin", Unary},
      {"Sinh", Unary},
      {"Softplus", Unary},
      {"SoftplusGrad", Like},
      {"Softsign", Unary},
      {"SoftsignGrad", Like},
      {"Sqrt", Positive},
      {"SqrtGrad", LikePositive},
      {"Square", Unary},
      {"Square", UnaryComplex},
      {"SquaredDifference", Binary},
      {"Sub", BinaryColumn},
      {"Sum", Reduction},
      {"Sum", ReductionKept},
      {"Sum", ReductionOfAll},
      {"Tan", Unary},
      {"Tanh", Unary},
      {"Tanh", UnaryComplex},
      {"TanhGrad", LikePositive},
      {"Xdivy", BinaryPositive},
      {"Xlog1py", BinaryPositive},
      {"Xlogy", BinaryPositive},
      {"Zeta", [](C& c) -> Ys { return c({Tensor::Scalar<double>(3), c.X({2, 3}, 0.5, 2)}); }},
  };
}

}  // namespace millrace::end_to_end
