// Gradients of pooling. A unit of work owns whole images, or some channels of
// one, so that windows that overlap add up in order.
#include "millrace/ops/kernel/by_type.h"
#include "millrace/ops/nn/pool_vector.h"
#include "millrace/ops/nn/pooling.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using nn::kPoolChannels;
using nn::PoolGate;
using nn::PoolKernel;
using nn::PoolShape;
using nn::PoolValue;
using nn::WindowAttrs;

constexpr int64_t kBlock = 32;  // channels that are looked at together

// body(image, first channel, channels)
template <typename Body>
void ForEachChannelBlock(KernelContext& ctx, const PoolShape& s, double cycles_per_element, const Body& body) {
  const int64_t blocks = (s.channels + kBlock - 1) / kBlock;
  const double cycles = cycles_per_element * static_cast<double>(s.out[0] * s.out[1] * std::min(kBlock, s.channels));
  ctx.ParallelFor(s.batch * blocks, BlockFor(cycles), [&](int64_t begin, int64_t end, int) {
    for (int64_t u = begin; u < end; ++u) {
      const int64_t c0 = u % blocks * kBlock;
      body(u / blocks, c0, std::min(kBlock, s.channels - c0));
    }
  });
}

template <typename T>
T Sum(T a, T b) {
  if constexpr (std::is_same_v<T, decltype(PoolValue(T()))>) {
    return static_cast<T>(a + b);
  } else {
    return static_cast<T>(PoolValue(a) + PoolValue(b));
  }
}

template <typename T>
void ClearChannels(const PoolShape& s, T* image, int64_t count) {
  for (int64_t p = 0; p < s.in[0] * s.in[1]; ++p) std::fill_n(image + p * s.channels, count, T());
}

// body(place, offset in the image) for the places of a window, from 0.
template <typename Body>
void ForEachPlace(const PoolShape& s, PoolShape::Range rows, PoolShape::Range columns, const Body& body) {
  int32_t place = 0;
  for (int64_t y = rows.begin; y < rows.end; ++y) {
    for (int64_t x = columns.begin; x < columns.end; ++x) body(place++, (y * s.in[1] + x) * s.channels);
  }
}

// body(c) for c < count; a whole block is a loop of known length.
template <typename Body>
void ForEachChannel(int64_t count, const Body& body) {
  if (count == kBlock) {
    for (int64_t c = 0; c < kBlock; ++c) body(c);
  } else {
    for (int64_t c = 0; c < count; ++c) body(c);
  }
}

// The place of the first of the largest elements in a window, channel by channel.
template <typename T>
void FindLargest(const PoolShape& s, const T* image, PoolShape::Range rows, PoolShape::Range columns, int64_t count,
                 int32_t (&where)[kBlock]) {
  using V = decltype(PoolValue(T()));
  V best[kBlock] = {};
  ForEachPlace(s, rows, columns, [&](int32_t place, int64_t at) {
    const T* const from = image + at;
    if (place == 0) {
      ForEachChannel(count, [&](int64_t c) { best[c] = PoolValue(from[c]); });
      ForEachChannel(count, [&](int64_t c) { where[c] = 0; });
      return;
    }
    ForEachChannel(count, [&](int64_t c) {
      const V v = PoolValue(from[c]);
      const bool larger = best[c] < v;
      best[c] = larger ? v : best[c];
      where[c] = larger ? place : where[c];
    });
  });
}

// The same for one window that no other overlaps, channel by channel.
template <PoolGate gate, typename T>
void GradientByChannel(const PoolShape& s, const T* image, PoolShape::Range rows, PoolShape::Range columns,
                       const T* grad, T* result) {
  for (int64_t c0 = 0; c0 < s.channels; c0 += kBlock) {
    const int64_t count = std::min(kBlock, s.channels - c0);
    int32_t where[kBlock];
    FindLargest(s, image + c0, rows, columns, count, where);
    ForEachPlace(s, rows, columns, [&](int32_t place, int64_t at) {
      const T* const from = image + at + c0;
      T* const into = result + at + c0;
      for (int64_t c = 0; c < count; ++c) {
        bool gets = where[c] == place;
        if constexpr (gate != PoolGate::kOpen) gets = gets && nn::Passes<gate>(PoolValue(from[c]));
        into[c] = gets ? Sum(T(), grad[c0 + c]) : T();
      }
    });
  }
}

// Windows that do not overlap: every element is of one window or of none, and is
// written once, after its window was read: `result` may be the image. A unit is an
// output row with the input rows down to the next one.
template <PoolGate gate, typename T>
void GradientApart(KernelContext& ctx, const PoolShape& s, const T* in, const T* grads, T* result) {
  // From output `o` to the next one along dimension i, gaps and rests included.
  const auto owned = [&](int i, int64_t o) -> PoolShape::Range {
    return {o == 0 ? 0 : s.Under(i, o).begin, o + 1 == s.out[i] ? s.in[i] : s.Under(i, o + 1).begin};
  };
  const int64_t c = s.channels, pitch = s.in[1] * c;
  const double cycles = static_cast<double>(std::min(s.in[0], s.stride[0]) * pitch) / 4.0;
  ctx.ParallelFor(s.batch * s.out[0], BlockFor(cycles), [&](int64_t begin, int64_t end, int) {
    for (int64_t u = begin; u < end; ++u) {
      const int64_t n = u / s.out[0], oy = u % s.out[0];
      const T* const image = in + n * s.in[0] * pitch;
      T* const to = result + n * s.in[0] * pitch;
      const PoolShape::Range rows = s.Under(0, oy), all_rows = owned(0, oy);
      const auto clear = [&](int64_t y, int64_t x0, int64_t x1) {
        std::fill(to + y * pitch + x0 * c, to + y * pitch + x1 * c, T());
      };
      for (int64_t y = all_rows.begin; y < rows.begin; ++y) clear(y, 0, s.in[1]);
      for (int64_t y = rows.end; y < all_rows.end; ++y) clear(y, 0, s.in[1]);
      if (rows.begin == rows.end) continue;
      for (int64_t ox = 0; ox < s.out[1]; ++ox) {
        const PoolShape::Range columns = s.Under(1, ox), all_columns = owned(1, ox);
        for (int64_t y = rows.begin; y < rows.end; ++y) {
          clear(y, all_columns.begin, columns.begin);
          clear(y, columns.end, all_columns.end);
        }
        if (columns.begin == columns.end) continue;
        const T* const grad = grads + (u * s.out[1] + ox) * c;
        if constexpr (nn::kPoolsInVectors<T>) {
          if (c >= nn::kPoolLanes<T>) {
            nn::GradientToWindow<gate>(s, image, rows, columns, grad, to);
            continue;
          }
        }
        GradientByChannel<gate>(s, image, rows, columns, grad, to);
      }
    }
  });
}

// The first of the largest elements of a window gets its gradient. Where
// `second`, the other way round: the result is the gradient at that element.
template <typename T, bool second>
void RunMaxPoolGrad(KernelContext& ctx, const WindowAttrs& attrs) {
  const TensorView &x = ctx.input(0), &dy = ctx.input(2), &out = ctx.output(0);
  if (out.num_elements == 0) return;
  const TensorView& pooled = second ? out : dy;
  T* const result = out.as<T>();
  const T* const grads = dy.as<T>();
  const T* const in = x.as<T>();
  if (attrs.along_depth) {
    const int64_t window = attrs.depth_window;
    ctx.ParallelFor(pooled.num_elements, BlockFor(4.0 * static_cast<double>(window)),
                    [&](int64_t begin, int64_t end, int) {
                      for (int64_t i = begin; i < end; ++i) {
                        int64_t best = i * window;
                        for (int64_t j = best + 1; j < (i + 1) * window; ++j) {
                          if (PoolValue(in[best]) < PoolValue(in[j])) best = j;
                        }
                        if (second) {
                          result[i] = grads[best];
                        } else {
                          for (int64_t j = i * window; j < (i + 1) * window; ++j)
                            result[j] = j == best ? grads[i] : T();
                        }
                      }
                    });
    return;
  }
  const PoolShape s = nn::PoolShapeOf(attrs, x.shape(), pooled.shape());
  if (!second && nn::WindowsApart(attrs) && pooled.num_elements > 0) {
    return GradientApart<PoolGate::kOpen>(ctx, s, in, grads, result);
  }
  const double cycles = static_cast<double>(std::min(s.window[0], s.in[0]) * std::min(s.window[1], s.in[1]));
  ForEachChannelBlock(ctx, s, cycles, [&](int64_t n, int64_t c0, int64_t count) {
    const T* const image = in + n * s.in[0] * s.in[1] * s.channels + c0;
    const int64_t to = n * s.in[0] * s.in[1] * s.channels + c0;
    if (!second) ClearChannels(s, result + to, count);
    for (int64_t oy = 0; oy < s.out[0]; ++oy) {
      const PoolShape::Range rows = s.Under(0, oy);
      for (int64_t ox = 0; ox < s.out[1]; ++ox) {
        const PoolShape::Range columns = s.Under(1, ox);
        if (rows.begin == rows.end || columns.begin == columns.end) continue;
        int32_t where[kBlock];
        FindLargest(s, image, rows, columns, count, where);
        const int64_t pooled_at = ((n * s.out[0] + oy) * s.out[1] + ox) * s.channels + c0;
        T pooled_grads[kBlock] = {};
        if (!second) std::copy_n(grads + pooled_at, count, pooled_grads);
        ForEachPlace(s, rows, columns, [&](int32_t place, int64_t at) {
          if (second) {
            const T* const from = grads + to + at;
            ForEachChannel(count, [&](int64_t c) {
              const T g = from[c];
              pooled_grads[c] = where[c] == place ? g : pooled_grads[c];
            });
          } else {
            T* const into = result + to + at;
            // Elsewhere 0 is added, which changes nothing.
            ForEachChannel(count, [&](int64_t c) {
              const T g = pooled_grads[c];
              into[c] = Sum(into[c], where[c] == place ? g : T());
            });
          }
        });
        if (second) std::copy_n(pooled_grads, count, result + pooled_at);
      }
    }
  });
}

// MaxPoolGrad and then the gradient of the activation that made the image.
template <typename T, PoolGate gate>
void RunGatedMaxPoolGrad(KernelContext& ctx, const WindowAttrs& attrs) {
  const TensorView &x = ctx.input(0), &dy = ctx.input(2), &out = ctx.output(0);
  if (dy.num_elements == 0) {
    std::fill_n(out.as<T>(), out.num_elements, T());
    return;
  }
  GradientApart<gate>(ctx, nn::PoolShapeOf(attrs, x.shape(), dy.shape()), x.as<T>(), dy.as<T>(), out.as<T>());
}

template <typename T>
void RunAvgPoolGrad(KernelContext& ctx, const WindowAttrs& attrs) {
  const TensorView &dy = ctx.input(1), &dx = ctx.output(0);
  if (dx.num_elements == 0) return;
  const PoolShape s = nn::PoolShapeOf(attrs, dx.shape(), dy.shape());
  using V = decltype(PoolValue(T()));
  const T* const grads = dy.as<T>();
  T* const result = dx.as<T>();
  // Each element gathers from the windows that hold it.
  const double cycles = static_cast<double>(s.in[1] * s.channels) * static_cast<double>(s.window[0] / s.stride[0] + 1) *
                        static_cast<double>(s.window[1] / s.stride[1] + 1);
  ctx.ParallelFor(s.batch * s.in[0], BlockFor(cycles), [&](int64_t begin, int64_t end, int) {
    for (int64_t u = begin; u < end; ++u) {
      const int64_t n = u / s.in[0], iy = u % s.in[0];
      const auto windows = [&](int i, int64_t at) -> PoolShape::Range {
        const int64_t high = at + s.pad[i], low = high - s.window[i];
        const int64_t first = low < 0 ? 0 : low / s.stride[i] + 1;
        const int64_t last = std::min(s.out[i], high / s.stride[i] + 1);
        return {first, std::max(first, last)};
      };
      const PoolShape::Range oys = windows(0, iy);
      for (int64_t ix = 0; ix < s.in[1]; ++ix) {
        const PoolShape::Range oxs = windows(1, ix);
        T* const to = result + ((n * s.in[0] + iy) * s.in[1] + ix) * s.channels;
        for (int64_t c0 = 0; c0 < s.channels; c0 += kPoolChannels) {
          const int64_t count = std::min(kPoolChannels, s.channels - c0);
          V sum[kPoolChannels] = {};
          for (int64_t oy = oys.begin; oy < oys.end; ++oy) {
            const PoolShape::Range rows = s.Under(0, oy);
            for (int64_t ox = oxs.begin; ox < oxs.end; ++ox) {
              const PoolShape::Range columns = s.Under(1, ox);
              const V number = static_cast<V>((rows.end - rows.begin) * (columns.end - columns.begin));
              const T* from = grads + ((n * s.out[0] + oy) * s.out[1] + ox) * s.channels + c0;
              for (int64_t c = 0; c < count; ++c) sum[c] += PoolValue(from[c]) / number;
            }
          }
          for (int64_t c = 0; c < count; ++c) to[c0 + c] = static_cast<T>(sum[c]);
        }
      }
    }
  });
}

template <bool second>
struct MaxPoolGradOf {
  template <typename T>
  static PoolKernel::Fn Of() {
    return RunMaxPoolGrad<T, second>;
  }
};
template <PoolGate gate>
struct GatedMaxPoolGradOf {
  template <typename T>
  static PoolKernel::Fn Of() {
    return RunGatedMaxPoolGrad<T, gate>;
  }
};
struct AvgPoolGradOf {
  template <typename T>
  static PoolKernel::Fn Of() {
    return RunAvgPoolGrad<T>;
  }
};

template <bool second, int first_operand>
Result<std::unique_ptr<Kernel>> NewMaxPoolGrad(const KernelInit& init) {
  const DType type = init.output_type(0);
  return nn::NewPoolKernel(init, type,
                           ByType<MaxPoolGradOf<second>, float, double, Half, BFloat16, int8_t, int16_t, int32_t,
                                  int64_t, uint8_t, uint16_t, uint32_t, uint64_t>(type),
                           first_operand);
}
Result<std::unique_ptr<Kernel>> NewFusedMaxPoolGrad(const KernelInit& init) {
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(nn::ReadWindowAttrs(init.attrs(), &attrs));
  const std::vector<std::string>& names = init.attr<ListValue>("fused_ops").s;
  const bool relu = names == std::vector<std::string>{"ReluGrad"};
  if (!relu && names != std::vector<std::string>{"Relu6Grad"}) {
    return Unimplemented(Cat("no kernel for fused_ops [", Join(names, ", "), "]"));
  }
  if (!nn::WindowsApart(attrs)) return Unimplemented("no kernel for windows that overlap");
  const DType type = init.output_type(0);
  return nn::NewPoolKernel(init, type,
                           relu ? ByType<GatedMaxPoolGradOf<PoolGate::kRelu>, float, double, Half, BFloat16>(type)
                                : ByType<GatedMaxPoolGradOf<PoolGate::kRelu6>, float, double, Half, BFloat16>(type));
}
Result<std::unique_ptr<Kernel>> NewAvgPoolGrad(const KernelInit& init) {
  const DType type = init.output_type(0);
  return nn::NewPoolKernel(init, type, ByType<AvgPoolGradOf, float, double, Half, BFloat16>(type));
}

// Inputs: image, pooled image, gradient of the one or the other (`second`).
Status MaxPoolGradShape(InferenceContext& ctx, bool second) {
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(nn::ReadWindowAttrs(ctx.attrs(), &attrs));
  bool known = true;
  if (ctx.num_inputs() == 5) {
    MR_RETURN_IF_ERROR(nn::WindowFromElements(ctx, 3, &attrs, &known));
  }
  SymShape image, pooled = ctx.input(1);
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 4));
  MR_RETURN_IF_ERROR(ctx.Merge(ctx.input(0), SymShape::Unknown(4), &image));
  if (known) {
    SymShape expected;
    MR_RETURN_IF_ERROR(nn::PooledShape(ctx, attrs, image, &expected));
    MR_RETURN_IF_ERROR(ctx.Merge(expected, pooled, &pooled));
  }
  SymShape same;
  MR_RETURN_IF_ERROR(ctx.Merge(ctx.input(2), second ? image : pooled, &same));
  ctx.set_output(0, second ? pooled : image);
  return OkStatus();
}
Status MaxPoolGradShapeFn(InferenceContext& ctx) { return MaxPoolGradShape(ctx, false); }
Status MaxPoolGradGradShapeFn(InferenceContext& ctx) { return MaxPoolGradShape(ctx, true); }

Status AvgPoolGradShape(InferenceContext& ctx) {
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(nn::ReadWindowAttrs(ctx.attrs(), &attrs));
  if (attrs.along_depth) return Unimplemented("expected 1 for the channels in 'ksize' and 'strides'");
  SymShape image, pooled, same;
  MR_RETURN_IF_ERROR(ctx.InputAsShape(0, &image));
  MR_RETURN_IF_ERROR(ctx.Merge(image, SymShape::Unknown(4), &image));
  MR_RETURN_IF_ERROR(nn::PooledShape(ctx, attrs, image, &pooled));
  MR_RETURN_IF_ERROR(ctx.Merge(pooled, ctx.input(1), &same));
  ctx.set_output(0, image);
  return OkStatus();
}

}  // namespace

namespace families {

void pool_backprop(Registry& registry) {
  const char* const types =
      "T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}";
  const auto define = [&](const char* name, bool v2, bool second) {
    OpBuilder op = registry.Define(name);
    op.Input("orig_input: T").Input("orig_output: T").Input("grad: T");
    if (v2) {
      op.Input("ksize: int32").Input("strides: int32");
    } else {
      op.Attr("ksize: list(int) >= 4").Attr("strides: list(int) >= 4");
    }
    op.Output("output: T");
    if (v2 || second) {
      op.Attr("padding: {'SAME', 'VALID'}");
    } else {
      op.Attr("padding: {'SAME', 'VALID', 'EXPLICIT'}").Attr("explicit_paddings: list(int) = []");
    }
    op.Attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'").Attr(second ? std::string(types) : Cat(types, " = DT_FLOAT"));
    op.Doc(second ? "Gradient of MaxPoolGrad: the elements of `grad` where the windows had their largest."
                  : "Gradient of MaxPool: to the first of the largest elements of each window.");
    op.Shape(second ? MaxPoolGradGradShapeFn : MaxPoolGradShapeFn);
    op.Kernel("CPU", second ? (v2 ? NewMaxPoolGrad<true, 3> : NewMaxPoolGrad<true, -1>)
                            : (v2 ? NewMaxPoolGrad<false, 3> : NewMaxPoolGrad<false, -1>));
  };
  define("MaxPoolGrad", false, false);
  define("MaxPoolGradV2", true, false);
  define("MaxPoolGradGrad", false, true);
  define("MaxPoolGradGradV2", true, true);
  registry.Define("_FusedMaxPoolGrad")
      .Input("orig_input: T")
      .Input("orig_output: T")
      .Input("grad: T")
      .Output("output: T")
      .Attr("ksize: list(int) >= 4")
      .Attr("strides: list(int) >= 4")
      .Attr("padding: {'SAME', 'VALID', 'EXPLICIT'}")
      .Attr("explicit_paddings: list(int) = []")
      .Attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
      .Attr("T: {half, bfloat16, float, double}")
      .Attr("fused_ops: list(string) = []")
      .Doc(
          "MaxPoolGrad of windows that do not overlap, and then ReluGrad or Relu6Grad by the image that was pooled. "
          "Made by the compiler.")
      .NoGradient("made by the compiler, after differentiation")
      .Shape(MaxPoolGradShapeFn)
      .Kernel("CPU", NewFusedMaxPoolGrad);
  registry.Define("AvgPoolGrad")
      .Input("orig_input_shape: int32")
      .Input("grad: T")
      .Output("output: T")
      .Attr("ksize: list(int) >= 4")
      .Attr("strides: list(int) >= 4")
      .Attr("padding: {'SAME', 'VALID'}")
      .Attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
      .Attr("T: {half, bfloat16, float, double}")
      .Doc("Gradient of AvgPool: a share for every element of each window.")
      .Shape(AvgPoolGradShape)
      .Kernel("CPU", NewAvgPoolGrad);
}

}  // namespace families
}  // namespace millrace
