// MaxPool, MaxPoolV2, MaxPoolWithArgmax and AvgPool.
#include <limits>

#include "millrace/ops/kernel/by_type.h"
#include "millrace/ops/nn/pool_vector.h"
#include "millrace/ops/nn/pooling.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using nn::kPoolChannels;
using nn::PoolKernel;
using nn::PoolShape;
using nn::PoolValue;
using nn::WindowAttrs;

template <typename T>
constexpr auto Lowest() {
  using V = decltype(PoolValue(T()));
  // Of half, as float: 65504.
  if constexpr (std::is_same_v<T, Half>) return -65504.0f;
  else if constexpr (std::is_same_v<T, BFloat16>) return -0x1.fep127f;
  else return std::numeric_limits<V>::lowest();
}

// Calls body(image, oy, ox, rows, columns) for each output position, in units of
// output rows.
template <typename Body>
void ForEachWindow(KernelContext& ctx, const PoolShape& s, const Body& body) {
  const double cycles = static_cast<double>(s.out[1] * s.channels) *
                        static_cast<double>(std::min(s.window[0], s.in[0]) * std::min(s.window[1], s.in[1])) / 4.0;
  ctx.ParallelFor(s.batch * s.out[0], BlockFor(cycles), [&](int64_t begin, int64_t end, int) {
    for (int64_t u = begin; u < end; ++u) {
      const int64_t n = u / s.out[0], oy = u % s.out[0];
      const PoolShape::Range rows = s.Under(0, oy);
      for (int64_t ox = 0; ox < s.out[1]; ++ox) body(n, oy, ox, rows, s.Under(1, ox));
    }
  });
}

// A NaN is never chosen.
template <typename T>
void RunMaxPool(KernelContext& ctx, const WindowAttrs& attrs) {
  const TensorView &x = ctx.input(0), &y = ctx.output(0);
  if (y.num_elements == 0) return;
  const T* in = x.as<T>();
  T* out = y.as<T>();
  using V = decltype(PoolValue(T()));
  if (attrs.along_depth) {
    ctx.ParallelFor(y.num_elements, BlockFor(static_cast<double>(attrs.depth_window)),
                    [&](int64_t begin, int64_t end, int) {
                      for (int64_t i = begin; i < end; ++i) {
                        V best = Lowest<T>();
                        for (int64_t j = i * attrs.depth_window; j < (i + 1) * attrs.depth_window; ++j) {
                          best = PoolValue(in[j]) > best ? PoolValue(in[j]) : best;
                        }
                        out[i] = static_cast<T>(best);
                      }
                    });
    return;
  }
  const PoolShape s = nn::PoolShapeOf(attrs, x.shape(), y.shape());
  if constexpr (nn::kPoolsInVectors<T>) {
    if (s.channels >= nn::kPoolLanes<T>) {
      ForEachWindow(ctx, s, [&](int64_t n, int64_t oy, int64_t ox, PoolShape::Range rows, PoolShape::Range columns) {
        nn::LargestOfWindow(s, in + n * s.in[0] * s.in[1] * s.channels, rows, columns, Lowest<T>(),
                            out + ((n * s.out[0] + oy) * s.out[1] + ox) * s.channels);
      });
      return;
    }
  }
  ForEachWindow(ctx, s, [&](int64_t n, int64_t oy, int64_t ox, PoolShape::Range rows, PoolShape::Range columns) {
    for (int64_t c0 = 0; c0 < s.channels; c0 += kPoolChannels) {
      const int64_t count = std::min(kPoolChannels, s.channels - c0);
      V best[kPoolChannels];
      for (int64_t c = 0; c < count; ++c) best[c] = Lowest<T>();
      for (int64_t iy = rows.begin; iy < rows.end; ++iy) {
        for (int64_t ix = columns.begin; ix < columns.end; ++ix) {
          const T* from = in + ((n * s.in[0] + iy) * s.in[1] + ix) * s.channels + c0;
          for (int64_t c = 0; c < count; ++c) best[c] = PoolValue(from[c]) > best[c] ? PoolValue(from[c]) : best[c];
        }
      }
      T* to = out + ((n * s.out[0] + oy) * s.out[1] + ox) * s.channels + c0;
      for (int64_t c = 0; c < count; ++c) to[c] = static_cast<T>(best[c]);
    }
  });
}

template <typename T>
void RunAvgPool(KernelContext& ctx, const WindowAttrs& attrs) {
  const TensorView &x = ctx.input(0), &y = ctx.output(0);
  if (y.num_elements == 0) return;
  const PoolShape s = nn::PoolShapeOf(attrs, x.shape(), y.shape());
  using V = decltype(PoolValue(T()));
  const T* in = x.as<T>();
  T* out = y.as<T>();
  ForEachWindow(ctx, s, [&](int64_t n, int64_t oy, int64_t ox, PoolShape::Range rows, PoolShape::Range columns) {
    const V number = static_cast<V>((rows.end - rows.begin) * (columns.end - columns.begin));
    for (int64_t c0 = 0; c0 < s.channels; c0 += kPoolChannels) {
      const int64_t count = std::min(kPoolChannels, s.channels - c0);
      V sum[kPoolChannels] = {};
      for (int64_t iy = rows.begin; iy < rows.end; ++iy) {
        for (int64_t ix = columns.begin; ix < columns.end; ++ix) {
          const T* from = in + ((n * s.in[0] + iy) * s.in[1] + ix) * s.channels + c0;
          for (int64_t c = 0; c < count; ++c) sum[c] += PoolValue(from[c]);
        }
      }
      T* to = out + ((n * s.out[0] + oy) * s.out[1] + ox) * s.channels + c0;
      for (int64_t c = 0; c < count; ++c) to[c] = static_cast<T>(sum[c] / number);
    }
  });
}

// The first of equals wins; a NaN only where it is the first of its window.
template <typename T, typename Index, bool with_batch>
void RunMaxPoolWithArgmax(KernelContext& ctx, const WindowAttrs& attrs) {
  const TensorView &x = ctx.input(0), &y = ctx.output(0);
  if (y.num_elements == 0) return;
  const PoolShape s = nn::PoolShapeOf(attrs, x.shape(), y.shape());
  const T* in = x.as<T>();
  const int64_t image = s.in[0] * s.in[1] * s.channels;
  ForEachWindow(ctx, s, [&](int64_t n, int64_t oy, int64_t ox, PoolShape::Range rows, PoolShape::Range columns) {
    for (int64_t c = 0; c < s.channels; ++c) {
      int64_t best = -1;
      for (int64_t iy = rows.begin; iy < rows.end; ++iy) {
        for (int64_t ix = columns.begin; ix < columns.end; ++ix) {
          const int64_t at = (iy * s.in[1] + ix) * s.channels + c;
          if (best < 0 || PoolValue(in[n * image + best]) < PoolValue(in[n * image + at])) best = at;
        }
      }
      const int64_t to = ((n * s.out[0] + oy) * s.out[1] + ox) * s.channels + c;
      if (ctx.output_wanted(0)) y.as<T>()[to] = best < 0 ? static_cast<T>(Lowest<T>()) : in[n * image + best];
      if (ctx.output_wanted(1)) {
        ctx.output(1).as<Index>()[to] = static_cast<Index>(std::max<int64_t>(0, best) + (with_batch ? n * image : 0));
      }
    }
  });
}

struct MaxPoolOf {
  template <typename T>
  static PoolKernel::Fn Of() {
    return RunMaxPool<T>;
  }
};
struct AvgPoolOf {
  template <typename T>
  static PoolKernel::Fn Of() {
    return RunAvgPool<T>;
  }
};
template <typename Index, bool with_batch>
struct ArgmaxOf {
  template <typename T>
  static PoolKernel::Fn Of() {
    return RunMaxPoolWithArgmax<T, Index, with_batch>;
  }
};

template <int first_operand>
Result<std::unique_ptr<Kernel>> NewMaxPool(const KernelInit& init) {
  const DType type = init.input_type(0);
  return nn::NewPoolKernel(
      init, type,
      ByType<MaxPoolOf, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t>(type),
      first_operand);
}

Result<std::unique_ptr<Kernel>> NewAvgPool(const KernelInit& init) {
  const DType type = init.input_type(0);
  return nn::NewPoolKernel(init, type, ByType<AvgPoolOf, float, double, Half, BFloat16>(type));
}

template <typename Index, bool with_batch>
PoolKernel::Fn ArgmaxFor(DType type) {
  return ByType<ArgmaxOf<Index, with_batch>, float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                uint16_t, uint32_t, uint64_t>(type);
}
Result<std::unique_ptr<Kernel>> NewMaxPoolWithArgmax(const KernelInit& init) {
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(nn::ReadWindowAttrs(init.attrs(), &attrs));
  if (attrs.along_depth) return Unimplemented("expected 1 for the channels in 'ksize' and 'strides'");
  const DType type = init.input_type(0);
  const bool narrow = init.output_type(1) == DType::kInt32;
  if (init.attr<bool>("include_batch_in_index")) {
    return nn::NewPoolKernel(init, type, narrow ? ArgmaxFor<int32_t, true>(type) : ArgmaxFor<int64_t, true>(type));
  }
  return nn::NewPoolKernel(init, type, narrow ? ArgmaxFor<int32_t, false>(type) : ArgmaxFor<int64_t, false>(type));
}

Status PoolShapeFn(InferenceContext& ctx) {
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(nn::ReadWindowAttrs(ctx.attrs(), &attrs));
  SymShape out;
  MR_RETURN_IF_ERROR(nn::PooledShape(ctx, attrs, ctx.input(0), &out));
  for (int i = 0; i < ctx.num_outputs(); ++i) ctx.set_output(i, out);
  return OkStatus();
}

Status AvgPoolShapeFn(InferenceContext& ctx) {
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(nn::ReadWindowAttrs(ctx.attrs(), &attrs));
  if (attrs.along_depth) return Unimplemented("expected 1 for the channels in 'ksize' and 'strides'");
  return PoolShapeFn(ctx);
}

Status MaxPoolV2Shape(InferenceContext& ctx) {
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(nn::ReadWindowAttrs(ctx.attrs(), &attrs));
  bool known = false;
  MR_RETURN_IF_ERROR(nn::WindowFromElements(ctx, 1, &attrs, &known));
  SymShape out = SymShape::Unknown(4);
  if (known) MR_RETURN_IF_ERROR(nn::PooledShape(ctx, attrs, ctx.input(0), &out));
  ctx.set_output(0, out);
  return OkStatus();
}

}  // namespace

namespace families {

void pool(Registry& registry) {
  const char* const max_types =
      "T: {half, bfloat16, float, double, int32, int64, uint8, int16, int8, uint16, qint8} = DT_FLOAT";
  registry.Define("MaxPool")
      .Input("input: T")
      .Output("output: T")
      .Attr(max_types)
      .Attr("ksize: list(int) >= 4")
      .Attr("strides: list(int) >= 4")
      .Attr("padding: {'SAME', 'VALID', 'EXPLICIT'}")
      .Attr("explicit_paddings: list(int) = []")
      .Attr("data_format: {'NHWC', 'NCHW', 'NCHW_VECT_C'} = 'NHWC'")
      .Doc("The largest element of each window. A NaN is not chosen.")
      .Shape(PoolShapeFn)
      .Kernel("CPU", NewMaxPool<-1>);
  registry.Define("MaxPoolV2")
      .Input("input: T")
      .Input("ksize: int32")
      .Input("strides: int32")
      .Output("output: T")
      .Attr(max_types)
      .Attr("padding: {'SAME', 'VALID'}")
      .Attr("data_format: {'NHWC', 'NCHW', 'NCHW_VECT_C'} = 'NHWC'")
      .Doc("MaxPool with window and stride as operands.")
      .Shape(MaxPoolV2Shape)
      .Kernel("CPU", NewMaxPool<1>);
  registry.Define("MaxPoolWithArgmax")
      .Input("input: T")
      .Output("output: T")
      .Output("argmax: Targmax")
      .Attr("ksize: list(int) >= 4")
      .Attr("strides: list(int) >= 4")
      .Attr("Targmax: {int32, int64} = DT_INT64")
      .Attr("padding: {'SAME', 'VALID'}")
      .Attr("include_batch_in_index: bool = false")
      .Attr("T: {float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64}")
      .Doc("MaxPool that also says where the elements were, as positions in the flat image.")
      .Shape(PoolShapeFn)
      .Kernel("CPU", NewMaxPoolWithArgmax);
  registry.Define("AvgPool")
      .Input("value: T")
      .Output("output: T")
      .Attr("ksize: list(int) >= 4")
      .Attr("strides: list(int) >= 4")
      .Attr("padding: {'SAME', 'VALID'}")
      .Attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'")
      .Attr("T: {half, bfloat16, float, double}")
      .Doc("The mean of each window; padding does not count.")
      .Shape(AvgPoolShapeFn)
      .Kernel("CPU", NewAvgPool);
}

}  // namespace families
}  // namespace millrace
