// The recorded answers for the ops of array, reduce, state, random, train and
// string, case by case: needs no compiler and no session.
#include "millrace/tests/ops/graph_replay.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

void CheckAll(std::initializer_list<const char*> ops, int threads = 1) {
  for (const char* op : ops) {
    const OracleCounts counts = ReplayOracle(op, threads);
    INFO(op << ": " << counts.passed << " passed, " << counts.failed << " failed, " << counts.skipped << " skipped\n"
            << counts.problems);
    CHECK(counts.failed == 0);
    CHECK(counts.passed > 0);
  }
}

TEST_CASE("ops that move elements give the recorded answers") {
  if (SharedDir().empty()) MR_SKIP("the recorded cases are not here");
  CheckAll({"BatchToSpace",
            "BatchToSpaceND",
            "Bincount",
            "Bitcast",
            "Bucketize",
            "DeepCopy",
            "DenseBincount",
            "DepthToSpace",
            "Diag",
            "DiagPart",
            "EnsureShape",
            "GuaranteeConst",
            "IdentityN",
            "MatrixBandPart",
            "MatrixDiag",
            "MatrixDiagPart",
            "MatrixDiagPartV3",
            "MatrixDiagV3",
            "MatrixSetDiag",
            "MatrixSetDiagV3",
            "Reverse",
            "ReverseSequence",
            "ReverseV2",
            "Roll",
            "Snapshot",
            "SpaceToBatch",
            "SpaceToBatchND",
            "SpaceToDepth",
            "TopKV2",
            "BroadcastArgs",
            "BroadcastGradientArgs",
            "BroadcastTo",
            "Concat",
            "ConcatOffset",
            "ConcatV2",
            "ConjugateTranspose",
            "DynamicPartition",
            "DynamicStitch",
            "Fill",
            "Gather",
            "GatherNd",
            "GatherV2",
            "InvertPermutation",
            "LinSpace",
            "ListDiff",
            "MirrorPad",
            "MirrorPadGrad",
            "OneHot",
            "Pack",
            "Pad",
            "PadV2",
            "ParallelDynamicStitch",
            "Range",
            "ScatterNd",
            "SegmentMax",
            "SegmentMean",
            "SegmentMin",
            "SegmentProd",
            "SegmentSum",
            "Slice",
            "Split",
            "SplitV",
            "StridedSlice",
            "StridedSliceGrad",
            "TensorScatterAdd",
            "TensorScatterMax",
            "TensorScatterMin",
            "TensorScatterSub",
            "TensorScatterUpdate",
            "Tile",
            "Transpose",
            "Unique",
            "UniqueV2",
            "UniqueWithCounts",
            "UniqueWithCountsV2",
            "Unpack",
            "UnsortedSegmentMax",
            "UnsortedSegmentMin",
            "UnsortedSegmentProd",
            "UnsortedSegmentSum",
            "Where"});
}

TEST_CASE("reductions give the recorded answers") {
  if (SharedDir().empty()) MR_SKIP("the recorded cases are not here");
  CheckAll(
      {"Cumprod", "Cumsum", "All", "Any", "ArgMax", "ArgMin", "EuclideanNorm", "Max", "Mean", "Min", "Prod", "Sum"});
}

TEST_CASE("variables give the recorded answers") {
  if (SharedDir().empty()) MR_SKIP("the recorded cases are not here");
  CheckAll({"Assign",
            "AssignAdd",
            "AssignAddVariableOp",
            "AssignSub",
            "AssignSubVariableOp",
            "AssignVariableOp",
            "IsVariableInitialized",
            "ReadVariableOp",
            "ResourceGather",
            "ResourceScatterAdd",
            "ResourceScatterDiv",
            "ResourceScatterMax",
            "ResourceScatterMin",
            "ResourceScatterMul",
            "ResourceScatterNdAdd",
            "ResourceScatterNdSub",
            "ResourceScatterNdUpdate",
            "ResourceScatterSub",
            "ResourceScatterUpdate",
            "ScatterAdd",
            "ScatterDiv",
            "ScatterMax",
            "ScatterMin",
            "ScatterMul",
            "ScatterNdAdd",
            "ScatterNdSub",
            "ScatterNdUpdate",
            "ScatterSub",
            "ScatterUpdate",
            "VarHandleOp",
            "VarIsInitializedOp",
            "Variable",
            "VariableShape",
            "VariableV2"});
}

TEST_CASE("random streams give the recorded answers") {
  if (SharedDir().empty()) MR_SKIP("the recorded cases are not here");
  CheckAll({"RandomStandardNormal", "RandomUniform", "RandomUniformInt", "StatelessRandomNormal",
            "StatelessRandomNormalV2", "StatelessRandomUniform", "StatelessRandomUniformFullInt",
            "StatelessRandomUniformInt", "StatelessRandomUniformV2", "StatelessTruncatedNormal",
            "StatelessTruncatedNormalV2", "TruncatedNormal"});
}

TEST_CASE("optimiser updates give the recorded answers") {
  if (SharedDir().empty()) MR_SKIP("the recorded cases are not here");
  CheckAll({"ApplyAdaMax",
            "ApplyAdadelta",
            "ApplyAdagrad",
            "ApplyAdagradV2",
            "ApplyAdam",
            "ApplyAddSign",
            "ApplyCenteredRMSProp",
            "ApplyFtrl",
            "ApplyFtrlV2",
            "ApplyGradientDescent",
            "ApplyMomentum",
            "ApplyPowerSign",
            "ApplyProximalAdagrad",
            "ApplyProximalGradientDescent",
            "ApplyRMSProp",
            "ResourceApplyAdaMax",
            "ResourceApplyAdadelta",
            "ResourceApplyAdagrad",
            "ResourceApplyAdagradV2",
            "ResourceApplyAdam",
            "ResourceApplyAddSign",
            "ResourceApplyCenteredRMSProp",
            "ResourceApplyFtrl",
            "ResourceApplyFtrlV2",
            "ResourceApplyGradientDescent",
            "ResourceApplyKerasMomentum",
            "ResourceApplyMomentum",
            "ResourceApplyPowerSign",
            "ResourceApplyProximalAdagrad",
            "ResourceApplyProximalGradientDescent",
            "ResourceApplyRMSProp",
            "ResourceSparseApplyAdadelta",
            "ResourceSparseApplyAdagrad",
            "ResourceSparseApplyAdagradV2",
            "ResourceSparseApplyCenteredRMSProp",
            "ResourceSparseApplyFtrl",
            "ResourceSparseApplyKerasMomentum",
            "ResourceSparseApplyMomentum",
            "ResourceSparseApplyRMSProp",
            "SparseApplyAdadelta",
            "SparseApplyAdagrad",
            "SparseApplyAdagradV2",
            "SparseApplyCenteredRMSProp",
            "SparseApplyFtrl",
            "SparseApplyMomentum",
            "SparseApplyRMSProp"});
}

TEST_CASE("texts joined give the recorded answers") {
  if (SharedDir().empty()) MR_SKIP("the recorded cases are not here");
  CheckAll({"StringJoin"});
}

}  // namespace
}  // namespace millrace
