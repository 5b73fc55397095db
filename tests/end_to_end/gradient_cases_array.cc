// Ops that move elements, and state.
#include "millrace/tests/end_to_end/gradient_cases.h"

namespace millrace::end_to_end {
namespace {

using C = GradientCases;

const Shape kMatrix({3, 4});

Ys Copy(C& c) { return c({c.X(kMatrix)}); }
Ys Segments(C& c) { return c({c.X({5, 2}, 0.3, 2), C::I({0, 0, 1, 3, 3})}); }
Ys UnsortedSegments(C& c) { return c({c.X({5, 2}, 0.3, 2), C::I({2, 0, -1, 1, 0}), C::S(3)}); }
Ys TensorScatter(C& c) { return c({c.X({4, 3}, -2, -1), C::I({2, 1}, {1, 3}), c.X({2, 3}, -1.5, 0)}); }
Ys Stitch(C& c) { return c({Operands{C::I({0, 2}), C::I({2, 1}, {1, 3})}, Operands{c.X({2, 3}), c.X({2, 1, 3})}}); }
Ys Extreme(C& c) { return c({c.X({3, 4})}, {{"k", 2}}); }

}  // namespace

std::vector<GradientTableCase> ArrayGradientCases() {
  return {
      {"BatchToSpace",
       [](C& c) -> Ys { return c({c.X({4, 2, 2, 1}), C::I({2, 2}, {0, 1, 1, 0})}, {{"block_size", 2}}); }},
      {"BatchToSpaceND", [](C& c) -> Ys { return c({c.X({4, 2, 2, 1}), C::I({2, 2}), C::I({2, 2}, {0, 1, 1, 0})}); }},
      {"BroadcastTo", [](C& c) -> Ys { return c({c.X({3, 1}), C::I({2, 3, 4})}); }},
      {"Concat", [](C& c) -> Ys { return c({C::S(1), Operands{c.X({2, 3}), c.X({2, 1})}}); }},
      {"CheckNumerics", [](C& c) -> Ys { return c({c.X({2, 3})}, {{"message", "finite"}}); }},
      {"ConcatV2", [](C& c) -> Ys { return c({Operands{c.X({2, 3}), c.X({1, 3})}, C::S(0)}); }},
      {"ConjugateTranspose", [](C& c) -> Ys { return c({c.Complex({2, 3}), C::I({1, 0})}); }},
      {"DepthToSpace", [](C& c) -> Ys { return c({c.X({1, 2, 2, 8})}, {{"block_size", 2}}); }},
      {"Diag", [](C& c) -> Ys { return c({c.X({3})}); }},
      {"DiagPart", [](C& c) -> Ys { return c({c.X({3, 3})}); }},
      {"DynamicPartition", [](C& c) -> Ys { return c({c.X({4, 2}), C::I({1, 0, 2, 1})}, {{"num_partitions", 3}}); }},
      {"DynamicStitch", Stitch},
      {"EnsureShape", [](C& c) -> Ys { return c({c.X(kMatrix)}, {{"shape", Shape({-1, 4})}}); }},
      {"ExpandDims", [](C& c) -> Ys { return c({c.X(kMatrix), C::S(1)}); }},
      {"Fill", [](C& c) -> Ys { return c({C::I({2, 3}), c.X({})}); }},
      {"Gather", [](C& c) -> Ys { return c({c.X({4, 3}), C::I({2, 2}, {1, 3, 1, 0})}); }},
      {"GatherNd", [](C& c) -> Ys { return c({c.X({4, 3}), C::I({3, 2}, {1, 2, 0, 0, 1, 2})}); }},
      {"GatherNd", [](C& c) -> Ys { return c({c.X({4, 3}), C::I({2, 1}, {1, 1})}); }},
      {"GatherV2", [](C& c) -> Ys { return c({c.X({4, 3}), C::I({1, 3, 1}), C::S(0)}); }},
      {"GatherV2", [](C& c) -> Ys { return c({c.X({4, 3, 2}), C::I({2, 0, 2}), C::S(1)}); }},
      {"GatherV2",
       [](C& c) -> Ys { return c({c.X({2, 3, 4}), C::I({2, 2}, {3, 0, 1, 1}), C::S(2)}, {{"batch_dims", 1}}); }},
      {"Identity", Copy},
      {"IdentityN", [](C& c) -> Ys { return c({Operands{c.X({2}), C::I({1, 2}), c.X({3})}}); }},
      {"MatrixBandPart",
       [](C& c) -> Ys { return c({c.X({2, 4, 4}), Tensor::Scalar<int64_t>(1), Tensor::Scalar<int64_t>(0)}); }},
      {"MatrixDiag", [](C& c) -> Ys { return c({c.X({2, 3})}); }},
      {"MatrixDiagPart", [](C& c) -> Ys { return c({c.X({2, 3, 4})}); }},
      {"MatrixDiagPartV3",
       [](C& c) -> Ys { return c({c.X({2, 3, 4}), C::I({2}, {-1, 1}), Tensor::Scalar<double>(0.5)}); }},
      {"MatrixDiagV3",
       [](C& c) -> Ys {
         const Tensor smallest = Tensor::Scalar<int32_t>(-1);
         return c({c.X({2, 3, 3}), C::I({2}, {-1, 1}), smallest, smallest, Tensor::Scalar<double>(0.5)});
       }},
      {"MatrixSetDiagV3", [](C& c) -> Ys { return c({c.X({2, 3, 4}), c.X({2, 3, 3}), C::I({2}, {-1, 1})}); }},
      {"MatrixDiagPartV3", [](C& c) -> Ys { return c({c.X({2, 3, 4}), C::I({-1, 2}), Tensor::Scalar<double>(0.5)}); }},
      {"MatrixDiagV3",
       [](C& c) -> Ys {
         return c({c.X({2, 3, 3}), C::I({-1, 1}), C::S(3), C::S(4), Tensor::Scalar<double>(0.5)},
                  {{"align", "LEFT_RIGHT"}});
       }},
      {"MatrixSetDiagV3", [](C& c) -> Ys { return c({c.X({2, 3, 4}), c.X({2, 3, 3}), C::I({-1, 1})}); }},
      {"MatrixSetDiag", [](C& c) -> Ys { return c({c.X({2, 3, 4}), c.X({2, 3})}); }},
      {"MirrorPad", [](C& c) -> Ys { return c({c.X({3, 4}), C::I({2, 2}, {1, 2, 0, 2})}, {{"mode", "REFLECT"}}); }},
      {"MirrorPad", [](C& c) -> Ys { return c({c.X({3, 4}), C::I({2, 2}, {1, 2, 0, 2})}, {{"mode", "SYMMETRIC"}}); }},
      {"MirrorPadGrad", [](C& c) -> Ys { return c({c.X({6, 6}), C::I({2, 2}, {1, 2, 0, 2})}, {{"mode", "REFLECT"}}); }},
      {"Pack", [](C& c) -> Ys { return c({Operands{c.X({2, 3}), c.X({2, 3})}}, {{"axis", 1}}); }},
      {"Pad", [](C& c) -> Ys { return c({c.X({2, 3}), C::I({2, 2}, {1, 0, 2, 1})}); }},
      // As in the original, none for the value that is padded with.
      {"PadV2", [](C& c) -> Ys { return c({c.X({2, 3}), C::I({2, 2}, {1, 0, 2, 1}), Tensor::Scalar<double>(0.5)}); }},
      {"ParallelDynamicStitch", Stitch},
      {"PlaceholderWithDefault", [](C& c) -> Ys { return c({c.X(kMatrix)}, {{"shape", Shape({3, 4})}}); }},
      {"ReadVariableOp",
       [](C& c) -> Ys { return c.Of("Square", {c({c.Variable({2, 3})}, {{"dtype", DType::kDouble}})}); }},
      {"Reshape", [](C& c) -> Ys { return c({c.X(kMatrix), C::I({2, -1})}); }},
      {"ResourceGather",
       [](C& c) -> Ys {
         return c.Of("Square", {c({c.Variable({4, 3}), C::I({1, 3, 1})}, {{"dtype", DType::kDouble}})});
       }},
      {"Reverse", [](C& c) -> Ys { return c({c.X({2, 3}), C::B({2}, {false, true})}); }},
      {"ReverseSequence",
       [](C& c) -> Ys { return c({c.X({2, 4, 3}), C::I({3, 1})}, {{"seq_dim", 1}, {"batch_dim", 0}}); }},
      {"ReverseV2", [](C& c) -> Ys { return c({c.X({2, 3}), C::I({1})}); }},
      {"Roll", [](C& c) -> Ys { return c({c.X({3, 4}), C::I({1, -2}), C::I({0, 1})}); }},
      {"ScatterNd", [](C& c) -> Ys { return c({C::I({3, 1}, {1, 3, 1}), c.X({3, 2}), C::I({5, 2})}); }},
      {"ScatterNdNonAliasingAdd", [](C& c) -> Ys { return c({c.X({4, 2}), C::I({3, 1}, {1, 3, 1}), c.X({3, 2})}); }},
      {"SegmentMax", Segments},
      {"SegmentMean", Segments},
      {"SegmentMin", Segments},
      {"SegmentProd", Segments},
      {"SegmentSum", Segments},
      {"Slice", [](C& c) -> Ys { return c({c.X({3, 4}), C::I({1, 0}), C::I({2, -1})}); }},
      {"SpaceToBatch",
       [](C& c) -> Ys { return c({c.X({1, 3, 4, 2}), C::I({2, 2}, {1, 0, 0, 0})}, {{"block_size", 2}}); }},
      {"SpaceToBatchND", [](C& c) -> Ys { return c({c.X({1, 3, 4, 2}), C::I({2, 2}), C::I({2, 2}, {1, 0, 0, 0})}); }},
      {"SpaceToDepth", [](C& c) -> Ys { return c({c.X({1, 4, 4, 2})}, {{"block_size", 2}}); }},
      {"Split", [](C& c) -> Ys { return c({C::S(1), c.X({2, 6})}, {{"num_split", 3}}); }},
      {"SplitV", [](C& c) -> Ys { return c({c.X({2, 6}), C::I({1, 3, 2}), C::S(1)}, {{"num_split", 3}}); }},
      {"Squeeze", [](C& c) -> Ys { return c({c.X({2, 1, 3, 1})}); }},
      {"StridedSlice",
       [](C& c) -> Ys {
         return c({c.X({4, 5}), C::I({3, 1}), C::I({0, 4}), C::I({-2, 1})}, {{"shrink_axis_mask", 2}});
       }},
      {"StridedSliceGrad",
       [](C& c) -> Ys {
         return c({C::I({4, 5}), C::I({3, 1}), C::I({0, 4}), C::I({-2, 1}), c.X({2})}, {{"shrink_axis_mask", 2}});
       }},
      {"TensorScatterAdd", TensorScatter},
      {"TensorScatterMax", TensorScatter},
      {"TensorScatterMin", TensorScatter},
      {"TensorScatterSub", TensorScatter},
      {"TensorScatterUpdate", TensorScatter},
      {"Tile", [](C& c) -> Ys { return c({c.X({2, 3}), C::I({2, 3})}); }},
      {"TopK", Extreme},
      {"TopKV2", [](C& c) -> Ys { return c({c.X({3, 4}), C::S(2)}); }},
      {"Transpose", [](C& c) -> Ys { return c({c.X({2, 3, 4}), C::I({2, 0, 1})}); }},
      {"Unpack", [](C& c) -> Ys { return c({c.X({2, 3})}, {{"num", 3}, {"axis", 1}}); }},
      {"UnsortedSegmentMax", UnsortedSegments},
      {"UnsortedSegmentMin", UnsortedSegments},
      {"UnsortedSegmentProd", UnsortedSegments},
      {"UnsortedSegmentSum", UnsortedSegments},
  };
}

}  // namespace millrace::end_to_end
