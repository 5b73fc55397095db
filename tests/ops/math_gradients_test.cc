// Gradients of element-wise ops, reductions and scans.
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/gradients/gradient.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/ops/recorded_gradients.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

const auto kOps = {"Abs",           "Acos",
                   "Acosh",         "Add",
                   "AddN",          "AddV2",
                   "Angle",         "Asin",
                   "Asinh",         "Atan",
                   "Atan2",         "Atanh",
                   "BiasAdd",       "BiasAddGrad",
                   "BiasAddV1",     "Cast",
                   "Ceil",          "ClipByValue",
                   "Complex",       "ComplexAbs",
                   "Conj",          "Cos",
                   "Cosh",          "Cumprod",
                   "Cumsum",        "CumulativeLogsumexp",
                   "Digamma",       "Div",
                   "DivNoNan",      "Elu",
                   "EluGrad",       "Erf",
                   "Erfc",          "Erfinv",
                   "EuclideanNorm", "Exp",
                   "Expm1",         "Floor",
                   "FloorDiv",      "FloorMod",
                   "Imag",          "Inv",
                   "InvGrad",       "LeakyRelu",
                   "LeakyReluGrad", "Lgamma",
                   "Log",           "Log1p",
                   "Max",           "Maximum",
                   "Mean",          "Min",
                   "Minimum",       "Mul",
                   "MulNoNan",      "Neg",
                   "NextAfter",     "OnesLike",
                   "Pow",           "Prod",
                   "Real",          "RealDiv",
                   "Reciprocal",    "ReciprocalGrad",
                   "Relu",          "Relu6",
                   "Relu6Grad",     "ReluGrad",
                   "Rint",          "Round",
                   "Rsqrt",         "RsqrtGrad",
                   "Select",        "SelectV2",
                   "Selu",          "SeluGrad",
                   "Sigmoid",       "SigmoidGrad",
                   "Sign",          "Sin",
                   "Sinh",          "Softplus",
                   "SoftplusGrad",  "Softsign",
                   "Sqrt",          "SqrtGrad",
                   "Square",        "SquaredDifference",
                   "Sub",           "Sum",
                   "Tan",           "Tanh",
                   "TanhGrad",      "TruncateDiv",
                   "Xdivy",         "Xlog1py",
                   "Xlogy",         "ZerosLike"};

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
