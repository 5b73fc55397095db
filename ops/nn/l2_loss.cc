// L2Loss: half the sum of squares.
#include <algorithm>

#include "millrace/ops/linalg/widened.h"
#include "millrace/ops/registry/op.h"

namespace millrace {
namespace {

constexpr int64_t kBlock = 8192;  // elements whose squares are summed by themselves
constexpr int kLanes = 16;

template <typename C>
C BlockSum(const C* x, int64_t count) {
  C lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int l = 0; l < kLanes; ++l) lanes[l] += x[i + l] * x[i + l];
  }
  for (int l = 0; i + l < count; ++l) lanes[l] += x[i + l] * x[i + l];
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int l = 0; l < width; ++l) lanes[l] += lanes[l + width];
  }
  return lanes[0];
}

template <typename T>
Status RunL2Loss(KernelContext& ctx) {
  using C = linalg::ComputeType<T>;
  const TensorView &x = ctx.input(0), &y = ctx.output(0);
  const int64_t blocks = (x.num_elements + kBlock - 1) / kBlock;
  linalg::Widened<T> operands(ctx);
  const int xi = operands.Add(x), yi = operands.AddResult(y);
  MR_RETURN_IF_ERROR(operands.Allocate(static_cast<size_t>(blocks) * sizeof(C)));
  C* const sums = static_cast<C*>(operands.workspace());
  ctx.ParallelFor(blocks, BlockFor(static_cast<double>(kBlock) / 4), [&](int64_t begin, int64_t end, int) {
    for (int64_t b = begin; b < end; ++b) {
      sums[b] = BlockSum(operands[xi] + b * kBlock, std::min(kBlock, x.num_elements - b * kBlock));
    }
  });
  double total = 0;
  for (int64_t b = 0; b < blocks; ++b) total += static_cast<double>(sums[b]);
  *operands.result(yi) = static_cast<C>(total / 2);
  operands.Finish();
  return OkStatus();
}

Result<std::unique_ptr<Kernel>> NewL2Loss(const KernelInit& init) {
  switch (init.input_type(0)) {
    case DType::kFloat:
      return MakeKernel<RunL2Loss<float>>(init);
    case DType::kDouble:
      return MakeKernel<RunL2Loss<double>>(init);
    case DType::kHalf:
      return MakeKernel<RunL2Loss<Half>>(init);
    default:
      return MakeKernel<RunL2Loss<BFloat16>>(init);
  }
}

}  // namespace

namespace families {

void l2_loss(Registry& registry) {
  registry.Define("L2Loss")
      .Input("t: T")
      .Output("output: T")
      .Attr("T: {half, bfloat16, float, double}")
      .Doc("sum(t ** 2) / 2.")
      .Shape(shape_fns::ScalarOutput)
      .Kernel("CPU", NewL2Loss);
}

}  // namespace families
}  // namespace millrace
