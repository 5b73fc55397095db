// Gradients of element-wise ops, reductions and scans.
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/builder/math_ops.h"
#include "millrace/ops/gradients/gradient.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/end_to_end/compare.h"
#include "millrace/tests/ops/graph_replay.h"
#include "millrace/tests/ops/recorded_gradients.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

const auto kOps = {"Abs",
                   "Acos",
                   "Acosh",
                   "Add",
                   "AddN",
                   "AddV2",
                   "Angle",
                   "Asin",
                   "Asinh",
                   "Atan",
                   "Atan2",
                   "Atanh",
                   "BiasAdd",
                   "BiasAddGrad",
                   "BiasAddV1",
                   "Cast",
                   "Ceil",
                   "ClipByValue",
                   "Complex",
                   "ComplexAbs",
                   "Conj",
                   "Cos",
                   "Cosh",
                   "Cross",
                   "Cumprod",
                   "Cumsum",
                   "CumulativeLogsumexp",
                   "Digamma",
                   "Div",
                   "DivNoNan",
                   "Elu",
                   "EluGrad",
                   "Erf",
                   "Erfc",
                   "Erfinv",
                   "EuclideanNorm",
                   "Exp",
                   "Expm1",
                   "Floor",
                   "FloorDiv",
                   "FloorMod",
                   "Imag",
                   "Inv",
                   "InvGrad",
                   "LeakyRelu",
                   "LeakyReluGrad",
                   "Lgamma",
                   "Log",
                   "Log1p",
                   "Max",
                   "Maximum",
                   "Mean",
                   "Min",
                   "Minimum",
                   "Mul",
                   "MulNoNan",
                   "Neg",
                   "NextAfter",
                   "OnesLike",
                   "Pow",
                   "Prod",
                   "Real",
                   "RealDiv",
                   "Reciprocal",
                   "ReciprocalGrad",
                   "Relu",
                   "Relu6",
                   "Relu6Grad",
                   "ReluGrad",
                   "Rint",
                   "Round",
                   "Rsqrt",
                   "RsqrtGrad",
                   "Select",
                   "SelectV2",
                   "Selu",
                   "SeluGrad",
                   "Sigmoid",
                   "SigmoidGrad",
                   "Sign",
                   "Sin",
                   "Sinh",
                   "Softplus",
                   "SoftplusGrad",
                   "Softsign",
                   "Sqrt",
                   "SqrtGrad",
                   "Square",
                   "SquaredDifference",
                   "Sub",
                   "Sum",
                   "Tan",
                   "Tanh",
                   "TanhGrad",
                   "TruncateDiv",
                   "Xdivy",
                   "Xlog1py",
                   "Xlogy",
                   "ZerosLike"};

TEST_CASE("element-wise ops and reductions have the recorded gradients") {
  if (SharedDir().empty()) MR_SKIP("the recorded cases are not here");
  CheckRecordedGradients(kOps, Hidden::kNothing);
}

TEST_CASE("gradients of element-wise ops and reductions are the same without extents") {
  if (SharedDir().empty()) MR_SKIP("the recorded cases are not here");
  CheckRecordedGradients(kOps, Hidden::kExtents);
}

TEST_CASE("gradients of element-wise ops and reductions are the same without ranks") {
  if (SharedDir().empty()) MR_SKIP("the recorded cases are not here");
  CheckRecordedGradients(kOps, Hidden::kRanks);
}

TEST_CASE("gradients of element-wise ops and reductions are the same where the run says the axes") {
  if (SharedDir().empty()) MR_SKIP("the recorded cases are not here");
  CheckRecordedGradients(kOps, Hidden::kRanksAndOperands);
}

TEST_CASE("the operands of a choice among three shapes have gradients of their own shapes") {
  const Scope scope = Scope::NewRoot();
  std::map<std::string, Tensor> feeds;
  const auto feed = [&](const Tensor& value) {
    const Output x = ops::Placeholder(scope, value.dtype());  // of any rank
    feeds[x.name()] = value;
    return x;
  };
  const Output c = feed(Tensor::Of<bool>(Shape({3}), {true, false, true}));
  const Output t = feed(Tensor::Of<float>(Shape({1, 3}), {1, 2, 3}));
  const Output e = feed(Tensor::Of<float>(Shape({2, 2, 1}), {4, 5, 6, 7}));
  const auto gradients = Gradients(scope, {ops::SelectV2(scope, c, t, e)}, {t, e});
  MR_REQUIRE_OK(scope.status());
  const GraphDef def = scope.graph()->ToGraphDef();
  GraphReplay replay(def, 1);
  std::vector<Tensor> found;
  MR_REQUIRE_OK(replay.Run(feeds, {gradients[0].dense().name(), gradients[1].dense().name()}, {}, &found));
  CHECK(end_to_end::Difference(found[0], Tensor::Of<float>(Shape({1, 3}), {4, 0, 4}), 0, 0) == "");
  CHECK(end_to_end::Difference(found[1], Tensor::Of<float>(Shape({2, 2, 1}), {1, 1, 1, 1}), 0, 0) == "");
}

TEST_CASE("remainders that the reference does not differentiate refuse by name") {
  for (const char* op : {"Mod", "TruncateMod"}) {
    const Scope scope = Scope::NewRoot();
    const Output x = ops::Placeholder(scope.WithOpName("x"), DType::kFloat, {.shape = Shape({4})});
    const Operation node = Call(scope.WithOpName("node"), op, {x, 2});
    MR_REQUIRE_OK(scope.status());
    Gradients(scope, {node.output()}, {x});
    const std::string message = scope.status().ToString();
    INFO(message);
    CHECK(message.find(Cat("node 'node' (", op, ")")) != std::string::npos);
    CHECK(message.find("x -> node") != std::string::npos);
  }
}

}  // namespace
}  // namespace millrace
