// MaxPool, MaxPoolV2, MaxPoolWithArgmax and AvgPool.
#include <limits>

#include "millrace/ops/nn/pooling.h"
#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using nn::kPoolChannels;
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
template <typename T, typename Index>
void RunMaxPoolWithArgmax(KernelContext& ctx, const WindowAttrs& attrs, bool with_batch) {
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

class Pool final : public Kernel {
 public:
  using Fn = void (*)(KernelContext&, const WindowAttrs&);
  Pool(WindowAttrs attrs, Fn fn, bool from_inputs) : attrs_(attrs), fn_(fn), from_inputs_(from_inputs) {}
  Status Run(KernelContext& ctx) const override {
    WindowAttrs attrs = attrs_;
    if (from_inputs_) MR_RETURN_IF_ERROR(nn::WindowFromTensors(ctx.input(1), ctx.input(2), &attrs));
    fn_(ctx, attrs);
    return OkStatus();
  }

 private:
  WindowAttrs attrs_;
  Fn fn_;
  bool from_inputs_;
};

Pool::Fn MaxPoolFor(DType type) {
  switch (type) {
    case DType::kFloat:
      return RunMaxPool<float>;
    case DType::kDouble:
      return RunMaxPool<double>;
    case DType::kHalf:
      return RunMaxPool<Half>;
    case DType::kBfloat16:
      return RunMaxPool<BFloat16>;
    case DType::kInt8:
      return RunMaxPool<int8_t>;
    case DType::kInt16:
      return RunMaxPool<int16_t>;
    case DType::kInt32:
      return RunMaxPool<int32_t>;
    case DType::kInt64:
      return RunMaxPool<int64_t>;
    case DType::kUint8:
      return RunMaxPool<uint8_t>;
    case DType::kUint16:
      return RunMaxPool<uint16_t>;
    default:
      return nullptr;
  }
}
Pool::Fn AvgPoolFor(DType type) {
  switch (type) {
    case DType::kFloat:
      return RunAvgPool<float>;
    case DType::kDouble:
      return RunAvgPool<double>;
    case DType::kHalf:
      return RunAvgPool<Half>;
    case DType::kBfloat16:
      return RunAvgPool<BFloat16>;
    default:
      return nullptr;
  }
}

Result<std::unique_ptr<Kernel>> NewPool(const KernelInit& init, Pool::Fn (*choose)(DType), bool from_inputs) {
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(nn::ReadWindowAttrs(init.attrs(), &attrs));
  const Pool::Fn fn = choose(init.input_type(0));
  if (fn == nullptr) return Unimplemented(Cat("no pooling of ", DTypeName(init.input_type(0))));
  return std::unique_ptr<Kernel>(new Pool(attrs, fn, from_inputs));
}
Result<std::unique_ptr<Kernel>> NewMaxPool(const KernelInit& init) { return NewPool(init, MaxPoolFor, false); }
Result<std::unique_ptr<Kernel>> NewMaxPoolV2(const KernelInit& init) { return NewPool(init, MaxPoolFor, true); }
Result<std::unique_ptr<Kernel>> NewAvgPool(const KernelInit& init) { return NewPool(init, AvgPoolFor, false); }

class MaxPoolWithArgmax final : public Kernel {
 public:
  using Fn = void (*)(KernelContext&, const WindowAttrs&, bool);
  MaxPoolWithArgmax(WindowAttrs attrs, Fn fn, bool with_batch) : attrs_(attrs), fn_(fn), with_batch_(with_batch) {}
  Status Run(KernelContext& ctx) const override {
    fn_(ctx, attrs_, with_batch_);
    return OkStatus();
  }

 private:
  WindowAttrs attrs_;
  Fn fn_;
  bool with_batch_;
};

template <typename T>
MaxPoolWithArgmax::Fn ArgmaxOf(DType index) {
  return index == DType::kInt32 ? RunMaxPoolWithArgmax<T, int32_t> : RunMaxPoolWithArgmax<T, int64_t>;
}

Result<std::unique_ptr<Kernel>> NewMaxPoolWithArgmax(const KernelInit& init) {
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(nn::ReadWindowAttrs(init.attrs(), &attrs));
  if (attrs.along_depth) return Unimplemented("expected 1 for the channels in 'ksize' and 'strides'");
  const DType index = init.output_type(1);
  MaxPoolWithArgmax::Fn fn = nullptr;
  switch (init.input_type(0)) {
    case DType::kFloat:
      fn = ArgmaxOf<float>(index);
      break;
    case DType::kDouble:
      fn = ArgmaxOf<double>(index);
      break;
    case DType::kHalf:
      fn = ArgmaxOf<Half>(index);
      break;
    case DType::kBfloat16:
      fn = ArgmaxOf<BFloat16>(index);
      break;
    case DType::kInt8:
      fn = ArgmaxOf<int8_t>(index);
      break;
    case DType::kInt16:
      fn = ArgmaxOf<int16_t>(index);
      break;
    case DType::kInt32:
      fn = ArgmaxOf<int32_t>(index);
      break;
    case DType::kInt64:
      fn = ArgmaxOf<int64_t>(index);
      break;
    case DType::kUint8:
      fn = ArgmaxOf<uint8_t>(index);
      break;
    case DType::kUint16:
      fn = ArgmaxOf<uint16_t>(index);
      break;
    case DType::kUint32:
      fn = ArgmaxOf<uint32_t>(index);
      break;
    case DType::kUint64:
      fn = ArgmaxOf<uint64_t>(index);
      break;
    default:
      return Unimplemented(Cat("no pooling of ", DTypeName(init.input_type(0))));
  }
  return std::unique_ptr<Kernel>(new MaxPoolWithArgmax(attrs, fn, init.attr<bool>("include_batch_in_index")));
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
      .Kernel("CPU", NewMaxPool);
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
      .Kernel("CPU", NewMaxPoolV2);
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
