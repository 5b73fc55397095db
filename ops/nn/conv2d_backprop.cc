// Gradients of Conv2D by its input and by its filter.
#include <algorithm>

#include "millrace/ops/linalg/transpose_block.h"
#include "millrace/ops/linalg/widened.h"
#include "millrace/ops/nn/convolution.h"
#include "millrace/ops/nn/filter_gradient.h"
#include "millrace/ops/nn/int_convolution.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using nn::ConvolutionArgs;
using nn::ConvolutionShape;
using nn::WindowAttrs;

// The gradient by the input is a convolution too: of the gradient, spread out by
// the stride, with the filter turned round and its channels exchanged.
ConvolutionShape Turned(const ConvolutionShape& s) {
  ConvolutionShape t = s;
  t.channels = s.out_channels;
  t.out_channels = s.channels;
  for (int i = 0; i < 2; ++i) {
    t.in[i] = s.out[i];
    t.out[i] = s.in[i];
    t.stride[i] = 1;
    t.input_dilation[i] = s.stride[i];
    t.pad[i] = (s.window[i] - 1) * s.dilation[i] - s.pad[i];
  }
  return t;
}

template <typename C>
void TurnFilter(const ConvolutionShape& s, const C* filter, C* turned) {
  const int64_t taps = s.window[0] * s.window[1], gc = s.group_channels(), gn = s.group_out_channels();
  for (int64_t tap = 0; tap < taps; ++tap) {
    for (int64_t g = 0; g < s.groups; ++g) {
      // gc x gn becomes gn x gc.
      linalg::TransposedCopy(filter + (taps - 1 - tap) * gc * s.out_channels + g * gn, s.out_channels, gc, gn,
                             turned + tap * gn * s.channels + g * gc, s.channels);
    }
  }
}

template <typename T>
class BackpropInput final : public Kernel {
 public:
  using C = linalg::ComputeType<T>;
  explicit BackpropInput(WindowAttrs attrs) : attrs_(attrs) {}

  // Turns and packs a constant filter, for a convolution without groups.
  Status Pack(const TensorView& filter) {
    if (filter.rank != 4 || filter.num_elements == 0) return OkStatus();
    ConvolutionShape s;
    s.channels = filter.dim(2);
    s.out_channels = filter.dim(3);
    s.window[0] = filter.dim(0);
    s.window[1] = filter.dim(1);
    const size_t bytes = static_cast<size_t>(filter.num_elements) * sizeof(C);
    MR_ASSIGN_OR_RETURN(const Buffer turned, HostAllocator().Allocate(bytes));
    if constexpr (linalg::kWidened<T>) {
      MR_ASSIGN_OR_RETURN(const Buffer wide, HostAllocator().Allocate(bytes));
      linalg::Widen(filter.as<T>(), filter.num_elements, static_cast<C*>(wide.data()));
      TurnFilter(s, static_cast<const C*>(wide.data()), static_cast<C*>(turned.data()));
    } else {
      TurnFilter(s, filter.as<C>(), static_cast<C*>(turned.data()));
    }
    const ConvolutionShape t = Turned(s);
    MR_ASSIGN_OR_RETURN(packed_,
                        HostAllocator().Allocate(static_cast<size_t>(nn::PackedFilterElements<C>(t)) * sizeof(C)));
    nn::PackFilter(t, static_cast<const C*>(turned.data()), static_cast<C*>(packed_.data()));
    return OkStatus();
  }

  Status Run(KernelContext& ctx) const override {
    const TensorView &w = ctx.input(1), &dy = ctx.input(2), &dx = ctx.output(0);
    if (dx.num_elements == 0) return OkStatus();
    const ConvolutionShape forward = nn::ConvolutionShapeOf(attrs_, dx.shape(), w.shape(), dy.shape());
    ConvolutionArgs<C> a;
    a.shape = Turned(forward);
    MR_RETURN_IF_ERROR(nn::CheckConvolution(a.shape));
    if (dy.num_elements == 0 || w.num_elements == 0) {
      std::fill_n(dx.as<T>(), dx.num_elements, T());
      return OkStatus();
    }
    if (forward.groups == 1) a.packed_filter = static_cast<const C*>(packed_.data());
    const size_t conv_bytes = (nn::ConvolutionScratchBytes(a, ctx.workers()) + 63) / 64 * 64;
    const size_t filter_bytes = a.packed_filter ? 0 : static_cast<size_t>(w.num_elements) * sizeof(C);
    linalg::Widened<T> operands(ctx);
    const int yi = operands.Add(dy), xi = operands.AddResult(dx);
    const int wi = a.packed_filter ? 0 : operands.Add(w);
    MR_RETURN_IF_ERROR(operands.Allocate(conv_bytes + filter_bytes));
    if (a.packed_filter == nullptr) {
      C* turned = reinterpret_cast<C*>(static_cast<char*>(operands.workspace()) + conv_bytes);
      TurnFilter(forward, operands[wi], turned);
      a.filter = turned;
    }
    a.input = operands[yi];
    a.output = operands.result(xi);
    nn::RunConvolution(ctx, a, operands.workspace());
    operands.Finish();
    return OkStatus();
  }

 private:
  WindowAttrs attrs_;
  Buffer packed_;
};

class IntBackpropInput final : public Kernel {
 public:
  explicit IntBackpropInput(WindowAttrs attrs) : attrs_(attrs) {}
  Status Run(KernelContext& ctx) const override {
    const TensorView &w = ctx.input(1), &dy = ctx.input(2), &dx = ctx.output(0);
    if (dx.num_elements == 0) return OkStatus();
    const ConvolutionShape forward = nn::ConvolutionShapeOf(attrs_, dx.shape(), w.shape(), dy.shape());
    nn::RunIntConvolution(ctx, Turned(forward), dy.as<uint32_t>(), w.as<uint32_t>(), nn::FilterSteps::Turned(forward),
                          dx.as<uint32_t>());
    return OkStatus();
  }

 private:
  WindowAttrs attrs_;
};

template <typename T>
class BackpropFilter final : public Kernel {
 public:
  using C = linalg::ComputeType<T>;
  explicit BackpropFilter(WindowAttrs attrs) : attrs_(attrs) {}

  Status Run(KernelContext& ctx) const override {
    const TensorView &x = ctx.input(0), &dy = ctx.input(2), &dw = ctx.output(0);
    if (dw.num_elements == 0) return OkStatus();
    const ConvolutionShape s = nn::ConvolutionShapeOf(attrs_, x.shape(), dw.shape(), dy.shape());
    MR_RETURN_IF_ERROR(nn::CheckConvolution(s));
    if (dy.num_elements == 0 || x.num_elements == 0) {
      std::fill_n(dw.as<T>(), dw.num_elements, T());
      return OkStatus();
    }
    linalg::Widened<T> operands(ctx);
    const int xi = operands.Add(x), yi = operands.Add(dy), wi = operands.AddResult(dw);
    nn::FilterGradientArgs<C> a;
    a.shape = s;
    MR_RETURN_IF_ERROR(operands.Allocate(nn::FilterGradientScratchBytes(a, ctx.workers())));
    a.image = operands[xi];
    a.grad = operands[yi];
    a.result = operands.result(wi);
    nn::RunFilterGradient(ctx, a, operands.workspace());
    operands.Finish();
    return OkStatus();
  }

 private:
  WindowAttrs attrs_;
};

Status ReadAttrs(const KernelInit& init, WindowAttrs* attrs) {
  MR_RETURN_IF_ERROR(nn::ReadWindowAttrs(init.attrs(), attrs));
  if (attrs->along_depth) return Unimplemented("expected 1 for the channels in 'strides'");
  return OkStatus();
}

template <typename T>
Result<std::unique_ptr<Kernel>> MakeBackpropInput(const KernelInit& init, const WindowAttrs& attrs) {
  auto kernel = std::make_unique<BackpropInput<T>>(attrs);
  if (const TensorView* filter = init.constant_input(1)) MR_RETURN_IF_ERROR(kernel->Pack(*filter));
  return std::unique_ptr<Kernel>(std::move(kernel));
}

Result<std::unique_ptr<Kernel>> NewBackpropInput(const KernelInit& init) {
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(ReadAttrs(init, &attrs));
  switch (init.output_type(0)) {
    case DType::kFloat:
      return MakeBackpropInput<float>(init, attrs);
    case DType::kDouble:
      return MakeBackpropInput<double>(init, attrs);
    case DType::kHalf:
      return MakeBackpropInput<Half>(init, attrs);
    case DType::kInt32:
      return std::unique_ptr<Kernel>(new IntBackpropInput(attrs));
    default:
      return MakeBackpropInput<BFloat16>(init, attrs);
  }
}

Result<std::unique_ptr<Kernel>> NewBackpropFilter(const KernelInit& init) {
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(ReadAttrs(init, &attrs));
  switch (init.output_type(0)) {
    case DType::kFloat:
      return std::unique_ptr<Kernel>(new BackpropFilter<float>(attrs));
    case DType::kDouble:
      return std::unique_ptr<Kernel>(new BackpropFilter<double>(attrs));
    case DType::kHalf:
      return std::unique_ptr<Kernel>(new BackpropFilter<Half>(attrs));
    default:
      return std::unique_ptr<Kernel>(new BackpropFilter<BFloat16>(attrs));
  }
}

// `image` convolved with `filter` has the shape of input 2.
Status CheckGradient(InferenceContext& ctx, const WindowAttrs& attrs, const SymShape& image, const SymShape& filter) {
  SymShape expected, merged;
  MR_RETURN_IF_ERROR(nn::ConvolvedShape(ctx, attrs, image, filter, &expected));
  return ctx.Merge(expected, ctx.input(2), &merged);
}

Status BackpropInputShape(InferenceContext& ctx) {
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(nn::ReadWindowAttrs(ctx.attrs(), &attrs));
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 4));
  MR_RETURN_IF_ERROR(ctx.WithRank(2, 4));
  SymShape image;
  MR_RETURN_IF_ERROR(ctx.InputAsShape(0, &image));
  const SymShape& dy = ctx.input(2);
  const SymShape& w = ctx.input(1);
  if (image.has_rank && image.rank() == 2) {
    // Height and width only.
    image = nn::ImageShape(attrs, dy.has_rank ? dy.dims[0] : Dim(), image.dims[0], image.dims[1],
                           w.has_rank ? w.dims[2] : Dim());
  }
  MR_RETURN_IF_ERROR(CheckGradient(ctx, attrs, image, w));
  if (!image.has_rank) image = SymShape::Unknown(4);
  if (image.dims[0].unknown() && dy.has_rank) image.dims[0] = dy.dims[0];
  ctx.set_output(0, std::move(image));
  return OkStatus();
}

Status BackpropFilterShape(InferenceContext& ctx) {
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(nn::ReadWindowAttrs(ctx.attrs(), &attrs));
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 4));
  MR_RETURN_IF_ERROR(ctx.WithRank(2, 4));
  SymShape filter;
  MR_RETURN_IF_ERROR(ctx.InputAsShape(1, &filter));
  MR_RETURN_IF_ERROR(CheckGradient(ctx, attrs, ctx.input(0), filter));
  ctx.set_output(0, filter.has_rank ? filter : SymShape::Unknown(4));
  return OkStatus();
}

}  // namespace

namespace families {

void conv2d_backprop(Registry& registry) {
  const auto attrs = [](OpBuilder& op, const char* types) {
    op.Attr(types).Attr("strides: list(int)").Attr("use_cudnn_on_gpu: bool = true");
    op.Attr("padding: {'SAME', 'VALID', 'EXPLICIT'}").Attr("explicit_paddings: list(int) = []");
    op.Attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'").Attr("dilations: list(int) = [1, 1, 1, 1]");
  };
  OpBuilder by_input = registry.Define("Conv2DBackpropInput");
  by_input.Input("input_sizes: int32").Input("filter: T").Input("out_backprop: T").Output("output: T");
  attrs(by_input, "T: {half, bfloat16, float, double, int32}");
  by_input.Doc("Gradient of Conv2D by its input; also known as transposed convolution.")
      .Shape(BackpropInputShape)
      .Kernel("CPU", NewBackpropInput);
  OpBuilder by_filter = registry.Define("Conv2DBackpropFilter");
  by_filter.Input("input: T").Input("filter_sizes: int32").Input("out_backprop: T").Output("output: T");
  attrs(by_filter, "T: {half, bfloat16, float, double}");
  by_filter.Doc("Gradient of Conv2D by its filter.").Shape(BackpropFilterShape).Kernel("CPU", NewBackpropFilter);
}

}  // namespace families
}  // namespace millrace
