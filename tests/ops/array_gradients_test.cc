// Gradients of ops of array and state.
#include "millrace/ops/builder/array_ops.h"
#include "millrace/ops/gradients/gradient.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/ops/recorded_gradients.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

const auto kOps = {"BatchToSpace",
                   "BatchToSpaceND",
                   "BroadcastTo",
                   "CheckNumerics",
                   "Concat",
                   "ConcatV2",
                   "ConjugateTranspose",
                   "DepthToSpace",
                   "Diag",
                   "DiagPart",
                   "DynamicPartition",
                   "DynamicStitch",
                   "EnsureShape",
                   "ExpandDims",
                   "Fill",
                   "Gather",
                   "GatherNd",
                   "GatherV2",
                   "Identity",
                   "IdentityN",
                   "LinSpace",
                   "MatrixBandPart",
                   "MatrixDiag",
                   "MatrixDiagPart",
                   "MatrixDiagPartV3",
                   "MatrixDiagV3",
                   "MatrixSetDiag",
                   "MatrixSetDiagV3",
                   "MirrorPad",
                   "MirrorPadGrad",
                   "OneHot",
                   "Pack",
                   "Pad",
                   "PadV2",
                   "ParallelDynamicStitch",
                   "Range",
                   "Reshape",
                   "Reverse",
                   "ReverseSequence",
                   "ReverseV2",
                   "Roll",
                   "ScatterNd",
                   "SegmentMax",
                   "SegmentMean",
                   "SegmentMin",
                   "SegmentProd",
                   "SegmentSum",
                   "Slice",
                   "SpaceToBatch",
                   "SpaceToBatchND",
                   "SpaceToDepth",
                   "Split",
                   "SplitV",
                   "Squeeze",
                   "StopGradient",
                   "StridedSlice",
                   "StridedSliceGrad",
                   "TensorScatterAdd",
                   "TensorScatterMax",
                   "TensorScatterMin",
                   "TensorScatterSub",
                   "TensorScatterUpdate",
                   "Tile",
                   "TopKV2",
                   "Transpose",
                   "Unpack",
                   "UnsortedSegmentMax",
                   "UnsortedSegmentMin",
                   "UnsortedSegmentProd",
                   "UnsortedSegmentSum"};

TEST_CASE("ops that move elements have the recorded gradients") {
  if (SharedDir().empty()) MR_SKIP("the recorded cases are not here");
  CheckRecordedGradients(kOps, Hidden::kNothing);
}

TEST_CASE("gradients of ops that move elements are the same without extents") {
  if (SharedDir().empty()) MR_SKIP("the recorded cases are not here");
  CheckRecordedGradients(kOps, Hidden::kExtents);
}

TEST_CASE("gradients of ops that move elements are the same without ranks") {
  if (SharedDir().empty()) MR_SKIP("the recorded cases are not here");
  CheckRecordedGradients(kOps, Hidden::kRanks);
}

TEST_CASE("gradients of ops that move elements are the same where the run says the operands") {
  if (SharedDir().empty()) MR_SKIP("the recorded cases are not here");
  CheckRecordedGradients(kOps, Hidden::kRanksAndOperands);
}

// What asking for the gradient of op(x) with respect to x says.
Status Refusal(const char* op, AttrMap attrs) {
  const Scope scope = Scope::NewRoot();
  const Output x = ops::Placeholder(scope.WithOpName("x"), DType::kFloat, {.shape = Shape({4})});
  const Operation node = Call(scope.WithOpName("node"), op, {x}, std::move(attrs));
  MR_REQUIRE_OK(scope.status());
  Gradients(scope, {node.output()}, {x});
  return scope.status();
}

TEST_CASE("ops that the reference does not differentiate refuse by name") {
  for (const char* op : {"Snapshot", "DeepCopy", "GuaranteeConst", "PreventGradient", "Unique"}) {
    const std::string message = Refusal(op, {}).ToString();
    INFO(message);
    CHECK(message.find(Cat("node 'node' (", op, ")")) != std::string::npos);
    CHECK(message.find("x -> node") != std::string::npos);
  }
  CHECK(Refusal("Bitcast", {{"type", DType::kFloat}}).ToString().find("bits have no gradient") != std::string::npos);
  CHECK(Refusal("StopGradient", {}).ok());
  CHECK(Refusal("Identity", {}).ok());
}

}  // namespace
}  // namespace millrace
