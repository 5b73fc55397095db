// Gradients of Conv2D by its input and by its filter.
#include <algorithm>

#include "millrace/ops/linalg/gemm.h"
#include "millrace/ops/linalg/transpose_block.h"
#include "millrace/ops/linalg/widened.h"
#include "millrace/ops/nn/convolution.h"
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

// An NCHW tensor with the channels last.
template <typename C>
void ChannelsLast(KernelContext& ctx, const C* in, int64_t batch, int64_t channels, int64_t plane, C* out) {
  ctx.ParallelFor(batch, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t n = begin; n < end; ++n) {
      linalg::TransposedCopy(in + n * channels * plane, plane, channels, plane, out + n * channels * plane, channels);
    }
  });
}

template <typename T>
class BackpropFilter final : public Kernel {
 public:
  using C = linalg::ComputeType<T>;
  explicit BackpropFilter(WindowAttrs attrs) : attrs_(attrs) {}

  Status Run(KernelContext& ctx) const override {
    const TensorView &x = ctx.input(0), &dy = ctx.input(2), &dw = ctx.output(0);
    if (dw.num_elements == 0) return OkStatus();
    const ConvolutionShape s = nn::ConvolutionShapeOf(attrs_, x.shape(), dw.shape(), dy.shape());
    if (dy.num_elements == 0 || x.num_elements == 0) {
      std::fill_n(dw.as<T>(), dw.num_elements, T());
      return OkStatus();
    }
    // A unit: a tap of the window and some input channels of a group, over all
    // pixels. The input's part of it is laid out with a row for each channel.
    const int64_t gc = s.group_channels(), gn = s.group_out_channels(), taps = s.window[0] * s.window[1];
    const int64_t chunk = std::min(gc, kChannels), chunks = (gc + chunk - 1) / chunk;
    const int64_t pixels = s.batch * s.out[0] * s.out[1];
    const size_t strip_bytes = static_cast<size_t>(chunk * kPixelStride) * sizeof(C);
    const size_t x_bytes = s.nchw ? Align(static_cast<size_t>(x.num_elements) * sizeof(C)) : 0;
    const size_t y_bytes = s.nchw ? Align(static_cast<size_t>(dy.num_elements) * sizeof(C)) : 0;

    linalg::Widened<T> operands(ctx);
    const int xi = operands.Add(x), yi = operands.Add(dy), wi = operands.AddResult(dw);
    MR_RETURN_IF_ERROR(operands.Allocate(x_bytes + y_bytes + Align(strip_bytes) * static_cast<size_t>(ctx.workers())));
    const C *image = operands[xi], *grad = operands[yi];
    C* const out = operands.result(wi);
    char* workspace = static_cast<char*>(operands.workspace());
    if (s.nchw) {
      C* const image_last = reinterpret_cast<C*>(workspace);
      C* const grad_last = reinterpret_cast<C*>(workspace + x_bytes);
      ChannelsLast(ctx, image, s.batch, s.channels, s.in[0] * s.in[1], image_last);
      ChannelsLast(ctx, grad, s.batch, s.out_channels, s.out[0] * s.out[1], grad_last);
      image = image_last;
      grad = grad_last;
      workspace += x_bytes + y_bytes;
    }
    const double cycles = static_cast<double>(chunk * gn) * static_cast<double>(pixels) / 24.0;
    ctx.ParallelFor(taps * s.groups * chunks, BlockFor(cycles), [&](int64_t begin, int64_t end, int worker) {
      C* const strip = reinterpret_cast<C*>(workspace + Align(strip_bytes) * static_cast<size_t>(worker));
      for (int64_t u = begin; u < end; ++u) {
        const int64_t tap = u / (s.groups * chunks), group = u / chunks % s.groups, c0 = u % chunks * chunk;
        linalg::TileArgs<C> t;
        t.a = strip;
        t.a_row_stride = kPixelStride;
        t.outer_count = t.inner_count = 1;
        t.outer_stride = t.inner_stride = 0;
        t.b_row_stride = s.out_channels;
        t.b_panel_stride = linalg::kPanelColumns<C>;
        t.c = out + (tap * gc + c0) * s.out_channels + group * gn;
        t.c_row_stride = s.out_channels;
        t.rows = std::min(chunk, gc - c0);
        t.columns = gn;
        for (int64_t p = 0; p < pixels; p += kPixels) {
          t.run_length = std::min(kPixels, pixels - p);
          FillStrip(s, image, tap, group * gc + c0, t.rows, p, p + t.run_length, strip);
          t.b = grad + p * s.out_channels + group * gn;
          t.accumulate = p > 0;
          linalg::RunTile(t);
        }
      }
    });
    operands.Finish();
    return OkStatus();
  }

 private:
  static constexpr int64_t kPixels = 240, kPixelStride = 256 + 16;
  static constexpr int64_t kChannels = 56;
  static size_t Align(size_t bytes) { return (bytes + 63) / 64 * 64; }

  // strip[c, p - begin] = the element of channel c0 + c that output pixel p
  // multiplies with this tap; 0 in the padding.
  static void FillStrip(const ConvolutionShape& s, const C* image, int64_t tap, int64_t c0, int64_t channels,
                        int64_t begin, int64_t end, C* strip) {
    const int64_t ky = tap / s.window[1], kx = tap % s.window[1];
    for (int64_t p = begin; p < end;) {
      const int64_t row = p / s.out[1], x0 = p % s.out[1], count = std::min(end - p, s.out[1] - x0);
      const int64_t n = row / s.out[0], iy = row % s.out[0] * s.stride[0] + ky * s.dilation[0] - s.pad[0];
      // Outputs whose element lies in the image: x * stride + shift in [0, width).
      const int64_t shift = kx * s.dilation[1] - s.pad[1];
      int64_t first = shift >= 0 ? 0 : (-shift + s.stride[1] - 1) / s.stride[1];
      int64_t last = shift >= s.in[1] ? 0 : (s.in[1] - 1 - shift) / s.stride[1] + 1;
      first = std::clamp(first, x0, x0 + count);
      last = iy < 0 || iy >= s.in[0] ? first : std::clamp(last, first, x0 + count);
      C* to = strip + (p - begin);
      for (int64_t c = 0; c < channels; ++c) {
        C* r = to + c * kPixelStride;
        std::fill(r, r + (first - x0), C(0));
        std::fill(r + (last - x0), r + count, C(0));
      }
      if (last > first) {
        const C* from = image + ((n * s.in[0] + iy) * s.in[1] + first * s.stride[1] + shift) * s.channels + c0;
        linalg::TransposedCopy(from, s.stride[1] * s.channels, last - first, channels, to + (first - x0), kPixelStride);
      }
      p += count;
    }
  }

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
