// DepthwiseConv2dNative, its fused form and its gradients: each channel has
// windows of its own.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "millrace/ops/kernel/isa.h"
#include "millrace/ops/kernel/units.h"
#include "millrace/ops/linalg/fused_ops.h"
#include "millrace/ops/linalg/transpose_block.h"
#include "millrace/ops/linalg/widened.h"
#include "millrace/ops/nn/depthwise_tile.h"
#include "millrace/ops/nn/window.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {

namespace nn {
const DepthwiseKernels& Depthwise() {
  return ActiveIsa() == Isa::kAvx512 ? linalg::avx512::kDepthwiseKernels : linalg::avx2::kDepthwiseKernels;
}
}  // namespace nn

namespace {

using nn::WindowAttrs;

struct Geometry {
  int64_t batch, channels, multiplier;
  int64_t in[2], out[2], window[2], stride[2], dilation[2], pad[2];
  bool nchw;

  int64_t out_channels() const { return channels * multiplier; }
};

// Of the shapes of image, filter and result.
Geometry GeometryOf(const WindowAttrs& attrs, std::span<const int64_t> image, std::span<const int64_t> filter,
                    std::span<const int64_t> result) {
  Geometry g;
  g.nchw = attrs.nchw;
  g.batch = image[0];
  g.channels = image[static_cast<size_t>(attrs.channels())];
  g.multiplier = filter[3];
  for (int i = 0; i < 2; ++i) {
    g.in[i] = image[static_cast<size_t>(attrs.spatial(i))];
    g.out[i] = result[static_cast<size_t>(attrs.spatial(i))];
    g.window[i] = filter[static_cast<size_t>(i)];
    g.stride[i] = attrs.stride[i];
    g.dilation[i] = attrs.dilation[i];
    g.pad[i] = nn::PadBefore(attrs, i, g.in[i], g.window[i], g.out[i]);
  }
  return g;
}

int64_t Align(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// Rows [begin, end) of image `n` with the channels last, each `multiplier` times.
template <typename C>
void CopyRows(const Geometry& g, const C* image, int64_t n, int64_t begin, int64_t end, C* out) {
  const int64_t plane = g.in[0] * g.in[1], row = g.in[1] * g.out_channels();
  for (int64_t y = begin; y < end; ++y, out += row) {
    const C* in =
        g.nchw ? image + n * g.channels * plane + y * g.in[1] : image + (n * plane + y * g.in[1]) * g.channels;
    if (g.nchw && g.multiplier == 1) {
      linalg::TransposedCopy(in, plane, g.channels, g.in[1], out, g.channels);
      continue;
    }
    for (int64_t x = 0; x < g.in[1]; ++x) {
      for (int64_t c = 0; c < g.channels; ++c) {
        const C v = g.nchw ? in[c * plane + x] : in[x * g.channels + c];
        C* to = out + (x * g.channels + c) * g.multiplier;
        for (int64_t m = 0; m < g.multiplier; ++m) to[m] = v;
      }
    }
  }
}

template <typename T>
class DepthwiseConv final : public Kernel {
 public:
  using C = linalg::ComputeType<T>;
  DepthwiseConv(WindowAttrs attrs, linalg::FusedOps fused) : attrs_(attrs), fused_(fused) {}

  Status Run(KernelContext& ctx) const override {
    const TensorView &x = ctx.input(0), &w = ctx.input(1), &y = ctx.output(0);
    if (y.num_elements == 0) return OkStatus();
    const Geometry g = GeometryOf(attrs_, x.shape(), w.shape(), y.shape());
    const int64_t channels = g.out_channels();
    const bool copies = g.nchw || g.multiplier != 1;

    // A unit is a band of output rows; of a small image, some of the channels.
    // These are the parts that a product makes of such images: see linalg/gemm.cc.
    const double cycles = static_cast<double>(g.out[0] * g.out[1] * channels * g.window[0] * g.window[1]) / 8.0;
    const int64_t worth =
        std::max(static_cast<int64_t>(cycles / 60000), UnitsFor(cycles * static_cast<double>(g.batch)) / g.batch);
    int64_t bands = std::clamp<int64_t>(worth, 1, g.out[0]), parts = 1;
    constexpr int64_t kSmallImage = 112, kPanel = linalg::kPanelColumns<C>;
    const int64_t panels = (channels + kPanel - 1) / kPanel;
    if (!copies && g.in[0] * g.in[1] <= kSmallImage) {
      parts = std::clamp<int64_t>(worth, 1, panels);
      bands = 1;
    }
    const int64_t band = (g.out[0] + bands - 1) / bands;  // the most rows of one
    const int64_t rows = std::min(g.in[0], (band - 1) * g.stride[0] + (g.window[0] - 1) * g.dilation[0] + 1);
    const int64_t row_bytes = g.in[1] * channels * static_cast<int64_t>(sizeof(C));
    const int64_t copy_bytes = copies ? Align(rows * row_bytes) : 0;
    const int64_t out_bytes = g.nchw ? Align(g.out[1] * channels * static_cast<int64_t>(sizeof(C))) : 0;

    linalg::Widened<T> operands(ctx);
    const int xi = operands.Add(x), wi = operands.Add(w), yi = operands.AddResult(y);
    const int bias = fused_.bias ? operands.Add(ctx.input(2)) : 0;
    const int residual = fused_.residual ? operands.Add(ctx.input(3)) : 0;
    MR_RETURN_IF_ERROR(operands.Allocate(static_cast<size_t>((copy_bytes + 2 * out_bytes) * ctx.workers())));
    const C* const image = operands[xi];
    C* const out = operands.result(yi);

    nn::DepthwiseArgs<C> common;
    common.in_height = g.in[0];
    common.in_width = g.in[1];
    common.out_width = g.out[1];
    common.channels = channels;
    for (int i = 0; i < 2; ++i) {
      common.window[i] = g.window[i];
      common.stride[i] = g.stride[i];
      common.dilation[i] = g.dilation[i];
      common.pad[i] = g.pad[i];
    }
    common.filter = operands[wi];
    common.epilogue.activation = fused_.activation;
    common.epilogue.alpha = static_cast<C>(fused_.alpha);
    if (fused_.bias) common.epilogue.bias = operands[bias];
    const C* const residuals = fused_.residual ? operands[residual] : nullptr;
    const int64_t row = g.in[1] * channels, pixels = g.out[0] * g.out[1];

    ctx.ParallelFor(g.batch * bands * parts, 1, [&](int64_t begin, int64_t end, int worker) {
      char* const scratch = static_cast<char*>(operands.workspace()) + (copy_bytes + 2 * out_bytes) * worker;
      C* const copy = reinterpret_cast<C*>(scratch);
      C* const out_row = reinterpret_cast<C*>(scratch + copy_bytes);
      C* const residual_row = reinterpret_cast<C*>(scratch + copy_bytes + out_bytes);
      nn::DepthwiseArgs<C> t = common;
      for (int64_t u = begin; u < end; ++u) {
        const int64_t n = u / (bands * parts), b = u / parts % bands, p = u % parts;
        const int64_t y0 = PartBegin(g.out[0], bands, b), y1 = PartBegin(g.out[0], bands, b + 1);
        t.channel_begin = PartBegin(panels, parts, p) * kPanel;
        t.channel_end = std::min(channels, PartBegin(panels, parts, p + 1) * kPanel);
        const C* base = image + n * g.in[0] * row;  // of image row 0
        if (copies) {
          const int64_t top = y0 * g.stride[0] - g.pad[0];
          const int64_t from = std::clamp<int64_t>(top, 0, g.in[0]);
          const int64_t to = std::clamp<int64_t>(
              top + (y1 - 1 - y0) * g.stride[0] + (g.window[0] - 1) * g.dilation[0] + 1, from, g.in[0]);
          CopyRows(g, image, n, from, to, copy);
          base = copy - from * row;
        }
        t.input = base;
        if (!g.nchw) {
          const int64_t at = (n * pixels + y0 * g.out[1]) * channels;
          t.row_begin = y0;
          t.row_end = y1;
          t.output = out + at;
          if (residuals != nullptr) t.epilogue.residual = residuals + at;
          nn::RunDepthwise(t);
          continue;
        }
        for (int64_t y = y0; y < y1; ++y) {
          const int64_t at = n * channels * pixels + y * g.out[1];
          t.row_begin = y;
          t.row_end = y + 1;
          t.output = out_row;
          if (residuals != nullptr) {
            linalg::TransposedCopy(residuals + at, pixels, channels, g.out[1], residual_row, channels);
            t.epilogue.residual = residual_row;
          }
          nn::RunDepthwise(t);
          linalg::TransposedCopy(static_cast<const C*>(out_row), channels, g.out[1], channels, out + at, pixels);
        }
      }
    });
    linalg::ApplyLate(ctx, fused_.late, out, y.num_elements);
    operands.Finish();
    return OkStatus();
  }

 private:
  WindowAttrs attrs_;
  linalg::FusedOps fused_;
};

// The attributes of a gradient op. As in the reference, these ops take no notice
// of `dilations`; a dilated convolution is differentiated by other means.
Status ReadGradientAttrs(const AttrMap& all, WindowAttrs* attrs) {
  MR_RETURN_IF_ERROR(nn::ReadWindowAttrs(all, attrs));
  attrs->dilation[0] = attrs->dilation[1] = 1;
  return OkStatus();
}

// Where element (n, y, x, c) of a tensor lies.
struct Layout {
  int64_t n, y, x, c;
  Layout(bool nchw, int64_t height, int64_t width, int64_t channels)
      : n(height * width * channels),
        y(nchw ? width : width * channels),
        x(nchw ? 1 : channels),
        c(nchw ? height * width : 1) {}
};

template <typename T>
class BackpropInput final : public Kernel {
 public:
  using C = linalg::ComputeType<T>;
  explicit BackpropInput(WindowAttrs attrs) : attrs_(attrs) {}

  Status Run(KernelContext& ctx) const override {
    const TensorView &w = ctx.input(1), &dy = ctx.input(2), &dx = ctx.output(0);
    if (dx.num_elements == 0) return OkStatus();
    const Geometry g = GeometryOf(attrs_, dx.shape(), w.shape(), dy.shape());
    linalg::Widened<T> operands(ctx);
    const int wi = operands.Add(w), yi = operands.Add(dy), xi = operands.AddResult(dx);
    MR_RETURN_IF_ERROR(operands.Allocate(0));
    const C *ws = operands[wi], *ys = operands[yi];
    C* xs = operands.result(xi);
    const Layout in(g.nchw, g.in[0], g.in[1], g.channels), out(g.nchw, g.out[0], g.out[1], g.out_channels());
    // Each element of a row gathers from the outputs whose windows hold it.
    ctx.ParallelFor(g.batch * g.in[0],
                    BlockFor(static_cast<double>(g.in[1] * g.out_channels() * g.window[0] * g.window[1])),
                    [&](int64_t begin, int64_t end, int) {
                      for (int64_t u = begin; u < end; ++u) {
                        const int64_t n = u / g.in[0], iy = u % g.in[0];
                        for (int64_t ix = 0; ix < g.in[1]; ++ix) {
                          C* to = xs + n * in.n + iy * in.y + ix * in.x;
                          for (int64_t c = 0; c < g.channels; ++c) to[c * in.c] = 0;
                          for (int64_t ky = 0; ky < g.window[0]; ++ky) {
                            const int64_t ty = iy + g.pad[0] - ky * g.dilation[0], oy = ty / g.stride[0];
                            if (ty < 0 || ty % g.stride[0] != 0 || oy >= g.out[0]) continue;
                            for (int64_t kx = 0; kx < g.window[1]; ++kx) {
                              const int64_t tx = ix + g.pad[1] - kx * g.dilation[1], ox = tx / g.stride[1];
                              if (tx < 0 || tx % g.stride[1] != 0 || ox >= g.out[1]) continue;
                              const C* from = ys + n * out.n + oy * out.y + ox * out.x;
                              const C* wk = ws + (ky * g.window[1] + kx) * g.out_channels();
                              if (g.multiplier == 1 && !g.nchw) {
                                for (int64_t c = 0; c < g.channels; ++c) to[c] = std::fma(from[c], wk[c], to[c]);
                                continue;
                              }
                              for (int64_t c = 0; c < g.channels; ++c) {
                                C sum = to[c * in.c];
                                for (int64_t m = c * g.multiplier; m < (c + 1) * g.multiplier; ++m) {
                                  sum = std::fma(from[m * out.c], wk[m], sum);
                                }
                                to[c * in.c] = sum;
                              }
                            }
                          }
                        }
                      }
                    });
    operands.Finish();
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
    const Geometry g = GeometryOf(attrs_, x.shape(), dw.shape(), dy.shape());
    linalg::Widened<T> operands(ctx);
    const int xi = operands.Add(x), yi = operands.Add(dy), wi = operands.AddResult(dw);
    MR_RETURN_IF_ERROR(operands.Allocate(0));
    const C *xs = operands[xi], *ys = operands[yi];
    C* ws = operands.result(wi);
    const Layout in(g.nchw, g.in[0], g.in[1], g.channels), out(g.nchw, g.out[0], g.out[1], g.out_channels());
    // A tap of the window sums over all images and positions, in order.
    ctx.ParallelFor(g.window[0] * g.window[1], 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t tap = begin; tap < end; ++tap) {
        const int64_t ky = tap / g.window[1], kx = tap % g.window[1];
        C* to = ws + tap * g.out_channels();
        for (int64_t c = 0; c < g.out_channels(); ++c) to[c] = 0;
        for (int64_t n = 0; n < g.batch; ++n) {
          for (int64_t oy = 0; oy < g.out[0]; ++oy) {
            const int64_t iy = oy * g.stride[0] + ky * g.dilation[0] - g.pad[0];
            if (iy < 0 || iy >= g.in[0]) continue;
            for (int64_t ox = 0; ox < g.out[1]; ++ox) {
              const int64_t ix = ox * g.stride[1] + kx * g.dilation[1] - g.pad[1];
              if (ix < 0 || ix >= g.in[1]) continue;
              const C* a = xs + n * in.n + iy * in.y + ix * in.x;
              const C* b = ys + n * out.n + oy * out.y + ox * out.x;
              if (g.multiplier == 1 && !g.nchw) {
                for (int64_t c = 0; c < g.channels; ++c) to[c] = std::fma(a[c], b[c], to[c]);
                continue;
              }
              for (int64_t c = 0; c < g.channels; ++c) {
                for (int64_t m = c * g.multiplier; m < (c + 1) * g.multiplier; ++m) {
                  to[m] = std::fma(a[c * in.c], b[m * out.c], to[m]);
                }
              }
            }
          }
        }
      }
    });
    operands.Finish();
    return OkStatus();
  }

 private:
  WindowAttrs attrs_;
};

template <typename T>
Result<std::unique_ptr<Kernel>> MakeForward(const KernelInit& init, const WindowAttrs& attrs) {
  MR_ASSIGN_OR_RETURN(const linalg::FusedOps fused, linalg::ParseFusedOps(init));
  return std::unique_ptr<Kernel>(new DepthwiseConv<T>(attrs, fused));
}
template <typename T>
Result<std::unique_ptr<Kernel>> MakeBackpropInput(const KernelInit&, const WindowAttrs& attrs) {
  return std::unique_ptr<Kernel>(new BackpropInput<T>(attrs));
}
template <typename T>
Result<std::unique_ptr<Kernel>> MakeBackpropFilter(const KernelInit&, const WindowAttrs& attrs) {
  return std::unique_ptr<Kernel>(new BackpropFilter<T>(attrs));
}

// Reads the attributes and calls the maker for the type of the result.
#define MR_DEPTHWISE_FACTORY(name, maker, read)                                              \
  Result<std::unique_ptr<Kernel>> name(const KernelInit& init) {                             \
    WindowAttrs attrs;                                                                       \
    MR_RETURN_IF_ERROR(read(init.attrs(), &attrs));                                          \
    if (attrs.along_depth) return Unimplemented("expected 1 for the channels in 'strides'"); \
    switch (init.output_type(0)) {                                                           \
      case DType::kFloat:                                                                    \
        return maker<float>(init, attrs);                                                    \
      case DType::kDouble:                                                                   \
        return maker<double>(init, attrs);                                                   \
      case DType::kHalf:                                                                     \
        return maker<Half>(init, attrs);                                                     \
      default:                                                                               \
        return maker<BFloat16>(init, attrs);                                                 \
    }                                                                                        \
  }
MR_DEPTHWISE_FACTORY(NewForward, MakeForward, nn::ReadWindowAttrs)
MR_DEPTHWISE_FACTORY(NewBackpropInput, MakeBackpropInput, ReadGradientAttrs)
MR_DEPTHWISE_FACTORY(NewBackpropFilter, MakeBackpropFilter, ReadGradientAttrs)
#undef MR_DEPTHWISE_FACTORY

Dim Extent(const SymShape& shape, int i) { return shape.has_rank ? shape.dims[static_cast<size_t>(i)] : Dim(); }

Status ForwardShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 4));
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 4));
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(nn::ReadWindowAttrs(ctx.attrs(), &attrs));
  const SymShape &x = ctx.input(0), &w = ctx.input(1);
  Dim channels;
  MR_RETURN_IF_ERROR(ctx.Merge(Extent(x, attrs.channels()), Extent(w, 2), &channels));
  Dim out[2];
  for (int i = 0; i < 2; ++i) {
    MR_RETURN_IF_ERROR(nn::WindowExtent(ctx, attrs, i, Extent(x, attrs.spatial(i)), Extent(w, i), &out[i]));
  }
  ctx.set_output(0, nn::ImageShape(attrs, Extent(x, 0), out[0], out[1], ctx.dims().Mul(channels, Extent(w, 3))));
  return OkStatus();
}

// Output 0 has the shape that input `sizes` holds, and the convolution of an
// image and a filter of these shapes gives the gradient's.
Status BackpropShape(InferenceContext& ctx, int sizes, const SymShape& image, const SymShape& filter) {
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(ReadGradientAttrs(ctx.attrs(), &attrs));
  MR_RETURN_IF_ERROR(ctx.WithRank(2, 4));
  if (image.has_rank && image.rank() != 4)
    return InvalidArgument(Cat("expected an image of rank 4, found ", image.rank()));
  if (filter.has_rank && filter.rank() != 4) {
    return InvalidArgument(Cat("expected a filter of rank 4, found ", filter.rank()));
  }
  const SymShape& dy = ctx.input(2);
  Dim same, channels, out;
  MR_RETURN_IF_ERROR(ctx.Merge(Extent(image, 0), Extent(dy, 0), &same));
  MR_RETURN_IF_ERROR(ctx.Merge(Extent(image, attrs.channels()), Extent(filter, 2), &channels));
  MR_RETURN_IF_ERROR(ctx.Merge(ctx.dims().Mul(channels, Extent(filter, 3)), Extent(dy, attrs.channels()), &same));
  for (int i = 0; i < 2; ++i) {
    MR_RETURN_IF_ERROR(nn::WindowExtent(ctx, attrs, i, Extent(image, attrs.spatial(i)), Extent(filter, i), &out));
    MR_RETURN_IF_ERROR(ctx.Merge(out, Extent(dy, attrs.spatial(i)), &same));
  }
  const SymShape& result = sizes == 0 ? image : filter;
  ctx.set_output(0, result.has_rank ? result : SymShape::Unknown(4));
  return OkStatus();
}
Status BackpropInputShape(InferenceContext& ctx) {
  SymShape image;
  MR_RETURN_IF_ERROR(ctx.InputAsShape(0, &image));
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 4));
  return BackpropShape(ctx, 0, image, ctx.input(1));
}
Status BackpropFilterShape(InferenceContext& ctx) {
  SymShape filter;
  MR_RETURN_IF_ERROR(ctx.InputAsShape(1, &filter));
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 4));
  return BackpropShape(ctx, 1, ctx.input(0), filter);
}

OpBuilder& Attrs(OpBuilder& op) {
  return op.Attr("T: {half, bfloat16, float, double}")
      .Attr("strides: list(int)")
      .Attr("padding: {'SAME', 'VALID', 'EXPLICIT'}")
      .Attr("explicit_paddings: list(int) = []")
      .Attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
      .Attr("dilations: list(int) = [1, 1, 1, 1]");
}

}  // namespace

namespace families {

void depthwise(Registry& registry) {
  {
    OpBuilder op = registry.Define("DepthwiseConv2dNative");
    Attrs(op.Input("input: T").Input("filter: T").Output("output: T"))
        .Doc("Convolution of each channel with windows of its own.")
        .Shape(ForwardShape)
        .Kernel("CPU", NewForward);
  }
  {
    OpBuilder op = registry.Define("DepthwiseConv2dNativeBackpropInput");
    Attrs(op.Input("input_sizes: int32").Input("filter: T").Input("out_backprop: T").Output("output: T"))
        .Doc("Gradient of DepthwiseConv2dNative by its input. Takes no notice of dilations.")
        .Shape(BackpropInputShape)
        .Kernel("CPU", NewBackpropInput);
  }
  {
    OpBuilder op = registry.Define("DepthwiseConv2dNativeBackpropFilter");
    Attrs(op.Input("input: T").Input("filter_sizes: int32").Input("out_backprop: T").Output("output: T"))
        .Doc("Gradient of DepthwiseConv2dNative by its filter. Takes no notice of dilations.")
        .Shape(BackpropFilterShape)
        .Kernel("CPU", NewBackpropFilter);
  }
  registry.Define("_FusedDepthwiseConv2dNative")
      .Input("input: T")
      .Input("filter: T")
      .Input("args: num_args * T")
      .Output("output: T")
      .Attr("T: {half, bfloat16, float, double}")
      .Attr("num_args: int >= 0")
      .Attr("strides: list(int)")
      .Attr("padding: {'SAME', 'VALID', 'EXPLICIT'}")
      .Attr("explicit_paddings: list(int) = []")
      .Attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
      .Attr("dilations: list(int) = [1, 1, 1, 1]")
      .Attr("fused_ops: list(string) = []")
      .Attr("epsilon: float = 0.0001")
      .Attr("leakyrelu_alpha: float = 0.2")
      .Doc(
          "A depthwise convolution with bias, residual and activation applied while the result is in registers. "
          "Made by the compiler.")
      .Shape(ForwardShape)
      .NoGradient("made by the compiler, after differentiation")
      .Kernel("CPU", NewForward);
}

}  // namespace families
}  // namespace millrace
