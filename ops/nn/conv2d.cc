// Conv2D and the fused convolution that the compiler makes.
#include <algorithm>

#include "millrace/ops/linalg/fused_ops.h"
#include "millrace/ops/linalg/widened.h"
#include "millrace/ops/nn/convolution.h"
#include "millrace/ops/nn/int_convolution.h"
#include "millrace/ops/nn/window.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using linalg::ComputeType;
using nn::ConvolutionArgs;
using nn::ConvolutionShape;
using nn::WindowAttrs;

template <typename T>
class Conv2D final : public Kernel {
 public:
  using C = ComputeType<T>;
  Conv2D(WindowAttrs attrs, linalg::FusedOps fused) : attrs_(attrs), fused_(fused) {}

  // Packs a constant filter for a convolution without groups, which only the
  // input's channels tell; one with groups packs the filter at every run.
  Status Pack(const TensorView& filter) {
    if (filter.rank != 4 || filter.num_elements == 0) return OkStatus();
    ConvolutionShape s;
    s.channels = filter.dim(2);
    s.out_channels = filter.dim(3);
    s.window[0] = filter.dim(0);
    s.window[1] = filter.dim(1);
    Buffer wide;
    const C* source = nullptr;
    if constexpr (linalg::kWidened<T>) {
      MR_ASSIGN_OR_RETURN(wide, HostAllocator().Allocate(static_cast<size_t>(filter.num_elements) * sizeof(C)));
      linalg::Widen(filter.as<T>(), filter.num_elements, static_cast<C*>(wide.data()));
      source = static_cast<const C*>(wide.data());
    } else {
      source = filter.as<T>();
    }
    const int64_t elements = nn::PackedFilterElements<C>(s);
    MR_ASSIGN_OR_RETURN(packed_, HostAllocator().Allocate(static_cast<size_t>(elements) * sizeof(C)));
    nn::PackFilter(s, source, static_cast<C*>(packed_.data()));
    return OkStatus();
  }

  Status Run(KernelContext& ctx) const override {
    const TensorView &x = ctx.input(0), &w = ctx.input(1), &y = ctx.output(0);
    if (y.num_elements == 0) return OkStatus();
    ConvolutionArgs<C> a;
    a.shape = nn::ConvolutionShapeOf(attrs_, x.shape(), w.shape(), y.shape());
    MR_RETURN_IF_ERROR(nn::CheckConvolution(a.shape));
    if (a.shape.groups == 1) a.packed_filter = static_cast<const C*>(packed_.data());
    a.epilogue.activation = fused_.activation;
    a.epilogue.alpha = static_cast<C>(fused_.alpha);

    linalg::Widened<T> operands(ctx);
    const int xi = operands.Add(x), yi = operands.AddResult(y);
    const int wi = a.packed_filter == nullptr ? operands.Add(w) : 0;
    const int bias = fused_.bias ? operands.Add(ctx.input(2)) : 0;
    const int residual = fused_.residual ? operands.Add(ctx.input(3)) : 0;
    MR_RETURN_IF_ERROR(operands.Allocate(nn::ConvolutionScratchBytes(a, ctx.workers())));
    a.input = operands[xi];
    a.output = operands.result(yi);
    if (a.packed_filter == nullptr) a.filter = operands[wi];
    if (fused_.bias) a.epilogue.bias = operands[bias];
    if (fused_.residual) a.epilogue.residual = operands[residual];
    nn::RunConvolution(ctx, a, operands.workspace());
    linalg::ApplyLate(ctx, fused_.late, a.output, y.num_elements);
    operands.Finish();
    return OkStatus();
  }

 private:
  WindowAttrs attrs_;
  linalg::FusedOps fused_;
  Buffer packed_;
};

class IntConv2D final : public Kernel {
 public:
  explicit IntConv2D(WindowAttrs attrs) : attrs_(attrs) {}
  Status Run(KernelContext& ctx) const override {
    const TensorView &x = ctx.input(0), &w = ctx.input(1), &y = ctx.output(0);
    if (y.num_elements == 0) return OkStatus();
    const ConvolutionShape s = nn::ConvolutionShapeOf(attrs_, x.shape(), w.shape(), y.shape());
    nn::RunIntConvolution(ctx, s, x.as<uint32_t>(), w.as<uint32_t>(), nn::FilterSteps::Of(s), y.as<uint32_t>());
    return OkStatus();
  }

 private:
  WindowAttrs attrs_;
};

template <typename T>
Result<std::unique_ptr<Kernel>> Make(const KernelInit& init, const WindowAttrs& attrs) {
  MR_ASSIGN_OR_RETURN(const linalg::FusedOps fused, linalg::ParseFusedOps(init));
  auto kernel = std::make_unique<Conv2D<T>>(attrs, fused);
  if (const TensorView* filter = init.constant_input(1)) MR_RETURN_IF_ERROR(kernel->Pack(*filter));
  return std::unique_ptr<Kernel>(std::move(kernel));
}

Result<std::unique_ptr<Kernel>> NewConv2D(const KernelInit& init) {
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(nn::ReadWindowAttrs(init.attrs(), &attrs));
  if (attrs.along_depth) return Unimplemented("expected 1 for the channels in 'strides'");
  if (const auto it = init.attrs().find("filter_format"); it != init.attrs().end()) {
    if (*it->second.get<std::string>() != "HWIO") return Unimplemented("expected filter_format HWIO");
  }
  switch (init.input_type(0)) {
    case DType::kFloat:
      return Make<float>(init, attrs);
    case DType::kDouble:
      return Make<double>(init, attrs);
    case DType::kHalf:
      return Make<Half>(init, attrs);
    case DType::kBfloat16:
      return Make<BFloat16>(init, attrs);
    case DType::kInt32:
      return std::unique_ptr<Kernel>(new IntConv2D(attrs));
    default:
      return Unimplemented(Cat("no convolution of ", DTypeName(init.input_type(0))));
  }
}

Status Conv2DShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 4));
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 4));
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(nn::ReadWindowAttrs(ctx.attrs(), &attrs));
  SymShape out;
  MR_RETURN_IF_ERROR(nn::ConvolvedShape(ctx, attrs, ctx.input(0), ctx.input(1), &out));
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

Status FusedConv2DShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(Conv2DShape(ctx));
  const int64_t args = ctx.attr<int64_t>("num_args");
  const SymShape out = ctx.outputs()[0].shape;
  const bool nchw = ctx.attr<std::string>("data_format") == "NCHW";
  if (args >= 1 && ctx.num_inputs() > 2) {
    MR_RETURN_IF_ERROR(ctx.WithRank(2, 1));
    Dim channels;
    if (ctx.input(2).has_rank) MR_RETURN_IF_ERROR(ctx.Merge(out.dims[nchw ? 1 : 3], ctx.input(2).dims[0], &channels));
  }
  if (args >= 2 && ctx.num_inputs() > 3) {
    SymShape merged;
    MR_RETURN_IF_ERROR(ctx.Merge(out, ctx.input(3), &merged));
    ctx.set_output(0, merged);
  }
  return OkStatus();
}

}  // namespace

namespace families {

void conv2d(Registry& registry) {
  registry.Define("Conv2D")
      .Input("input: T")
      .Input("filter: T")
      .Output("output: T")
      .Attr("T: {half, bfloat16, float, double, int32}")
      .Attr("strides: list(int)")
      .Attr("use_cudnn_on_gpu: bool = true")
      .Attr("padding: {'SAME', 'VALID', 'EXPLICIT'}")
      .Attr("explicit_paddings: list(int) = []")
      .Attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
      .Attr("dilations: list(int) = [1, 1, 1, 1]")
      .Doc("Convolution of images with a filter of height, width, input and output channels.")
      .Shape(Conv2DShape)
      .Kernel("CPU", NewConv2D);
  registry.Define("_FusedConv2D")
      .Input("input: T")
      .Input("filter: T")
      .Input("args: num_args * T")
      .Input("host_args: num_host_args * float")
      .Output("output: T")
      .Attr("T: {half, float, double, int8, qint8}")
      .Attr("num_args: int >= 0")
      .Attr("num_host_args: int >= 0 = 0")
      .Attr("strides: list(int)")
      .Attr("padding: {'SAME', 'VALID', 'EXPLICIT'}")
      .Attr("explicit_paddings: list(int) = []")
      .Attr("data_format: {'NHWC', 'NCHW', 'NCHW_VECT_C'} = 'NHWC'")
      .Attr("filter_format: {'HWIO', 'OIHW', 'OIHW_VECT_I'} = 'HWIO'")
      .Attr("dilations: list(int) = [1, 1, 1, 1]")
      .Attr("use_cudnn_on_gpu: bool = true")
      .Attr("fused_ops: list(string) = []")
      .Attr("epsilon: float = 0.0001")
      .Attr("leakyrelu_alpha: float = 0.2")
      .Doc(
          "A convolution with bias, residual and activation applied while the result is in registers. Made by the "
          "compiler.")
      .Shape(FusedConv2DShape)
      .NoGradient("made by the compiler, after differentiation")
      .Kernel("CPU", NewConv2D, {{"T", {DType::kHalf, DType::kFloat, DType::kDouble}}});
}

}  // namespace families
}  // namespace millrace
