// LRN, local response normalisation over the channels, and its gradient.
#include <algorithm>
#include <cmath>

#include "millrace/ops/linalg/widened.h"
#include "millrace/ops/registry/op.h"

namespace millrace {
namespace {

using linalg::Widened;

struct LrnAttrs {
  int64_t radius;
  float bias, alpha, beta;
  explicit LrnAttrs(const KernelInit& init)
      : radius(init.attr<int64_t>("depth_radius")),
        bias(init.attr<float>("bias")),
        alpha(init.attr<float>("alpha")),
        beta(init.attr<float>("beta")) {}
  // bias + alpha * the sum of squares around channel c of a pixel.
  float Norm(const float* pixel, int64_t channels, int64_t c) const {
    const int64_t first = c > radius ? c - radius : 0, last = radius < channels - c ? c + radius + 1 : channels;
    float sum = 0;
    for (int64_t i = first; i < std::min(last, channels); ++i) sum += pixel[i] * pixel[i];
    return bias + alpha * sum;
  }
  double cycles(int64_t channels) const {
    return static_cast<double>(channels) * (20.0 + 2.0 * static_cast<double>(std::min(radius, channels)));
  }
};

template <typename T>
class Lrn final : public Kernel {
 public:
  explicit Lrn(const KernelInit& init) : attrs_(init) {}
  Status Run(KernelContext& ctx) const override {
    const TensorView &x = ctx.input(0), &y = ctx.output(0);
    if (y.num_elements == 0) return OkStatus();
    Widened<T> operands(ctx);
    const int xi = operands.Add(x), yi = operands.AddResult(y);
    MR_RETURN_IF_ERROR(operands.Allocate(0));
    const int64_t channels = x.dim(3);
    ctx.ParallelFor(x.num_elements / channels, BlockFor(attrs_.cycles(channels)), [&](int64_t begin, int64_t end, int) {
      for (int64_t p = begin; p < end; ++p) {
        const float* in = operands[xi] + p * channels;
        float* out = operands.result(yi) + p * channels;
        for (int64_t c = 0; c < channels; ++c) out[c] = in[c] * std::pow(attrs_.Norm(in, channels, c), -attrs_.beta);
      }
    });
    operands.Finish();
    return OkStatus();
  }

 private:
  LrnAttrs attrs_;
};

template <typename T>
class LrnGrad final : public Kernel {
 public:
  explicit LrnGrad(const KernelInit& init) : attrs_(init) {}
  Status Run(KernelContext& ctx) const override {
    const TensorView& dx = ctx.output(0);
    if (dx.num_elements == 0) return OkStatus();
    Widened<T> operands(ctx);
    const int gi = operands.Add(ctx.input(0)), xi = operands.Add(ctx.input(1)), yi = operands.Add(ctx.input(2));
    const int di = operands.AddResult(dx);
    MR_RETURN_IF_ERROR(operands.Allocate(0));
    const int64_t channels = dx.dim(3);
    ctx.ParallelFor(dx.num_elements / channels, BlockFor(attrs_.cycles(channels)),
                    [&](int64_t begin, int64_t end, int) {
                      for (int64_t p = begin; p < end; ++p) {
                        const float *g = operands[gi] + p * channels, *x = operands[xi] + p * channels,
                                    *y = operands[yi] + p * channels;
                        float* out = operands.result(di) + p * channels;
                        std::fill(out, out + channels, 0.0f);
                        for (int64_t c = 0; c < channels; ++c) {
                          const float norm = attrs_.Norm(x, channels, c);
                          const float shared = -2.0f * attrs_.alpha * attrs_.beta * y[c] / norm * g[c];
                          const int64_t first = c > attrs_.radius ? c - attrs_.radius : 0;
                          const int64_t last = attrs_.radius < channels - c - 1 ? c + attrs_.radius + 1 : channels;
                          for (int64_t i = first; i < last; ++i) out[i] += x[i] * shared;
                          out[c] += std::pow(norm, -attrs_.beta) * g[c];
                        }
                      }
                    });
    operands.Finish();
    return OkStatus();
  }

 private:
  LrnAttrs attrs_;
};

template <template <typename> class K>
Result<std::unique_ptr<Kernel>> New(const KernelInit& init) {
  switch (init.input_type(0)) {
    case DType::kFloat:
      return NewKernel<K<float>>(init);
    case DType::kHalf:
      return NewKernel<K<Half>>(init);
    default:
      return NewKernel<K<BFloat16>>(init);
  }
}

Status LrnShape(InferenceContext& ctx) {
  SymShape merged = SymShape::Unknown(4);
  for (int i = 0; i < ctx.num_inputs(); ++i) {
    MR_RETURN_IF_ERROR(ctx.WithRank(i, 4));
    MR_RETURN_IF_ERROR(ctx.Merge(merged, ctx.input(i), &merged));
  }
  ctx.set_output(0, std::move(merged));
  return OkStatus();
}

}  // namespace

namespace families {

void lrn(Registry& registry) {
  const auto attrs = [](OpBuilder& op) {
    op.Attr("depth_radius: int = 5").Attr("bias: float = 1.0").Attr("alpha: float = 1.0").Attr("beta: float = 0.5");
    op.Attr("T: {half, bfloat16, float} = DT_FLOAT");
  };
  OpBuilder forward = registry.Define("LRN");
  forward.Input("input: T").Output("output: T");
  attrs(forward);
  forward.Doc("Each element divided by a power of the sum of squares of the channels around it.")
      .Shape(LrnShape)
      .Kernel("CPU", New<Lrn>);
  OpBuilder gradient = registry.Define("LRNGrad");
  gradient.Input("input_grads: T").Input("input_image: T").Input("output_image: T").Output("output: T");
  attrs(gradient);
  gradient.Doc("Gradient of LRN.")
      .Shape(LrnShape)
      .NoGradient("the second derivative of LRN is not implemented, here nor in the original")
      .Kernel("CPU", New<LrnGrad>);
}

}  // namespace families
}  // namespace millrace
