// Resizing of images, by the nearest pixel, linear and cubic interpolation and by
// area, and the gradients. An image is batch x height x width x channels.
#include <algorithm>

#include "millrace/ops/image/sampling.h"
#include "millrace/ops/kernel/by_type.h"
#include "millrace/ops/kernel/compute_type.h"
#include "millrace/ops/registry/op.h"
#include "millrace/ops/registry/sym_eval.h"
#include "millrace/proto/value/half.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

using image::Axis;
using image::Method;
using image::Sampling;
using image::Tap;
using image::Taps;

// Channels that are summed up at a time, on the stack.
constexpr int64_t kChannels = 128;

// What sums are kept in; those of integers wrap.
template <typename T>
struct SumOf {
  using type = ComputeType<T>;
};
template <>
struct SumOf<int32_t> {
  using type = uint32_t;
};
template <>
struct SumOf<int64_t> {
  using type = uint64_t;
};

// to[y, x] = the sum over taps of y and taps of x of from[.., ..], weighted. `Value`
// is what an element and its weights are multiplied in.
template <typename Value, typename In, typename Out>
void Apply(KernelContext& ctx, const TensorView& from, const TensorView& to, const Taps& rows, const Taps& columns) {
  using Sum = typename SumOf<Out>::type;
  const int64_t height = to.dim(1), width = to.dim(2), channels = to.dim(3);
  const int64_t from_row = from.dim(2) * channels, from_image = from.dim(1) * from_row;
  const In* const in = from.as<In>();
  Out* const out = to.as<Out>();
  const double terms = static_cast<double>(rows.start[height]) / static_cast<double>(height) *
                       static_cast<double>(columns.start[width]) * static_cast<double>(channels);
  ctx.ParallelFor(to.dim(0) * height, BlockFor(terms), [&](int64_t begin, int64_t end, int) {
    for (int64_t u = begin; u < end; ++u) {
      const In* const image = in + u / height * from_image;
      const Tap *const y0 = rows.taps + rows.start[u % height], *const y1 = rows.taps + rows.start[u % height + 1];
      for (int64_t x = 0; x < width; ++x) {
        const Tap *const x0 = columns.taps + columns.start[x], *const x1 = columns.taps + columns.start[x + 1];
        Out* const pixel = out + (u * width + x) * channels;
        for (int64_t c0 = 0; c0 < channels; c0 += kChannels) {
          const int64_t count = std::min(kChannels, channels - c0);
          Sum sums[kChannels] = {};
          for (const Tap* ty = y0; ty != y1; ++ty) {
            for (const Tap* tx = x0; tx != x1; ++tx) {
              const In* const v = image + ty->at * from_row + tx->at * channels + c0;
              const auto wy = static_cast<Value>(ty->weight), wx = static_cast<Value>(tx->weight);
              for (int64_t c = 0; c < count; ++c) sums[c] += static_cast<Sum>(static_cast<Value>(v[c]) * wy * wx);
            }
          }
          for (int64_t c = 0; c < count; ++c) pixel[c0 + c] = static_cast<Out>(sums[c]);
        }
      }
    }
  });
}

// Elements are moved, whatever they are.
template <typename T>
void Pick(KernelContext& ctx, const TensorView& from, const TensorView& to, const Taps& rows, const Taps& columns) {
  const int64_t height = to.dim(1), width = to.dim(2), channels = to.dim(3);
  const int64_t from_row = from.dim(2) * channels, from_image = from.dim(1) * from_row;
  ctx.ParallelFor(
      to.dim(0) * height, BlockFor(static_cast<double>(width * channels)), [&](int64_t begin, int64_t end, int) {
        for (int64_t u = begin; u < end; ++u) {
          const T* const row = from.as<T>() + u / height * from_image + rows.taps[u % height].at * from_row;
          for (int64_t x = 0; x < width; ++x) {
            std::copy_n(row + columns.taps[x].at * channels, channels, to.as<T>() + (u * width + x) * channels);
          }
        }
      });
}

// Input 0 is the image, or the gradient of the resized one (`transposed`).
class Resize final : public Kernel {
 public:
  using Fn = void (*)(KernelContext&, const TensorView&, const TensorView&, const Taps&, const Taps&);
  Resize(Sampling sampling, bool transposed, Fn fn) : sampling_(sampling), transposed_(transposed), fn_(fn) {}

  Status Run(KernelContext& ctx) const override {
    const TensorView &from = ctx.input(0), &to = ctx.output(0);
    for (const TensorView* t : {&from, &to}) {
      if (t->dim(1) < 1 || t->dim(2) < 1) {
        return InvalidArgument(Cat("expected images of at least 1 x 1 pixels, found ", t->dim(1), " x ", t->dim(2)));
      }
    }
    if (to.num_elements == 0) return OkStatus();
    const TensorView &small = transposed_ ? to : from, &large = transposed_ ? from : to;
    const Axis y(sampling_, small.dim(1), large.dim(1)), x(sampling_, small.dim(2), large.dim(2));
    const size_t y_bytes = transposed_ ? y.transposed_bytes() : y.bytes();
    const size_t x_bytes = transposed_ ? x.transposed_bytes() : x.bytes();
    MR_ASSIGN_OR_RETURN(void* scratch, ctx.Scratch(y_bytes + x_bytes));
    void* const x_table = static_cast<char*>(scratch) + y_bytes;
    if (transposed_) {
      fn_(ctx, from, to, y.FillTransposed(scratch), x.FillTransposed(x_table));
    } else {
      fn_(ctx, from, to, y.Fill(scratch), x.Fill(x_table));
    }
    return OkStatus();
  }

 private:
  Sampling sampling_;
  bool transposed_;
  Fn fn_;
};

// Interpolation answers float, whatever the image is.
struct ToFloat {
  template <typename T>
  static Resize::Fn Of() {
    return Apply<float, T, float>;
  }
};
// Its gradient comes in float.
template <bool wide>
struct FromFloat {
  template <typename T>
  static Resize::Fn Of() {
    return Apply<std::conditional_t<wide, typename SumOf<T>::type, float>, float, T>;
  }
};
struct Picked {
  template <typename T>
  static Resize::Fn Of() {
    return Pick<T>;
  }
};
struct PickedBack {
  template <typename T>
  static Resize::Fn Of() {
    return Apply<typename SumOf<T>::type, T, T>;
  }
};

template <typename F, Method method, bool transposed>
Result<std::unique_ptr<Kernel>> New(const KernelInit& init) {
  Sampling sampling{method, init.attr<bool>("align_corners")};
  if (const auto it = init.attrs().find("half_pixel_centers"); it != init.attrs().end()) {
    sampling.half_pixel_centers = *it->second.get<bool>();
  }
  if (sampling.align_corners && sampling.half_pixel_centers) {
    return InvalidArgument("expected one of align_corners and half_pixel_centers at most, found both");
  }
  const DType type = transposed ? init.output_type(0) : init.input_type(0);
  const Resize::Fn fn =
      ByType<F, float, double, Half, BFloat16, int8_t, uint8_t, int16_t, uint16_t, int32_t, int64_t>(type);
  if (fn == nullptr) return Unimplemented(Cat("no resizing of ", DTypeName(type)));
  return std::unique_ptr<Kernel>(new Resize(sampling, transposed, fn));
}

// Input 0 with the height and width that input 1 says.
Status SizedShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 4));
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 1));
  Dim two;
  if (ctx.input(1).has_rank) MR_RETURN_IF_ERROR(ctx.Merge(ctx.input(1).dims[0], Dim(2), &two));
  SymShape out = ctx.input(0).has_rank ? ctx.input(0) : SymShape::Unknown(4);
  const std::optional<SymTensor> size = IntegerElements(ctx, 1);
  for (size_t i = 0; i < 2; ++i) {
    out.dims[1 + i] = !size ? Dim() : size->elements[i].dim();
    if (size && size->elements[i].known() && size->elements[i].number < 1) {
      return InvalidArgument(Cat("expected a size of at least 1 x 1, found ", size->elements[i].number));
    }
  }
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

// The shape of the original image, input 1.
Status OriginalShape(InferenceContext& ctx) {
  MR_RETURN_IF_ERROR(ctx.WithRank(0, 4));
  MR_RETURN_IF_ERROR(ctx.WithRank(1, 4));
  SymShape out = ctx.input(1).has_rank ? ctx.input(1) : SymShape::Unknown(4);
  if (ctx.input(0).has_rank) {
    for (const size_t i : {size_t{0}, size_t{3}}) {
      MR_RETURN_IF_ERROR(ctx.Merge(ctx.input(0).dims[i], out.dims[i], &out.dims[i]));
    }
  }
  ctx.set_output(0, std::move(out));
  return OkStatus();
}

}  // namespace

namespace families {

void resize(Registry& registry) {
  const char* const all = "T: {int8, uint8, int16, uint16, int32, int64, half, float, double, bfloat16}";
  const auto flags = [](OpBuilder op) {
    return op.Attr("align_corners: bool = false").Attr("half_pixel_centers: bool = false");
  };
  const auto forward = [&](const char* name, const char* type, const char* types) {
    OpBuilder op = registry.Define(name);
    return op.Input("images: T")
        .Input("size: int32")
        .Output(Cat("resized_images: ", type))
        .Attr(types)
        .Shape(SizedShape);
  };
  flags(forward("ResizeNearestNeighbor", "T", all))
      .Doc("Images of another height and width, each pixel that of the original which is nearest.")
      .Kernel("CPU", New<Picked, Method::kNearest, false>);
  flags(forward("ResizeBilinear", "float",
                "T: {int8, uint8, int16, uint16, int32, int64, bfloat16, half, float, double, bfloat16}"))
      .Doc("Images of another height and width, by linear interpolation.")
      .Kernel("CPU", New<ToFloat, Method::kLinear, false>);
  flags(forward("ResizeBicubic", "float", all))
      .Doc("Images of another height and width, by cubic interpolation.")
      .Kernel("CPU", New<ToFloat, Method::kCubic, false>);
  forward("ResizeArea", "float", all)
      .Attr("align_corners: bool = false")
      .Doc("Images of another height and width; a pixel is the mean of the area that it covers.")
      .NoGradient("resizing by area has no gradient, here nor in the original")
      .Kernel("CPU", New<ToFloat, Method::kArea, false>);

  OpBuilder nearest = registry.Define("ResizeNearestNeighborGrad");
  flags(nearest.Input("grads: T")
            .Input("size: int32")
            .Output("output: T")
            .Attr("T: {uint8, int8, int32, half, float, double, bfloat16}")
            .Shape(SizedShape))
      .Doc("Gradient of ResizeNearestNeighbor. `size` is that of the original image.")
      .Kernel("CPU", New<PickedBack, Method::kNearest, true>);
  const auto backward = [&](const char* name, const char* types) {
    OpBuilder op = registry.Define(name);
    return flags(
        op.Input("grads: float").Input("original_image: T").Output("output: T").Attr(types).Shape(OriginalShape));
  };
  backward("ResizeBilinearGrad", "T: {float, bfloat16, half, double}")
      .Doc("Gradient of ResizeBilinear.")
      .Kernel("CPU", New<FromFloat<false>, Method::kLinear, true>);
  backward("ResizeBicubicGrad", "T: {float, double}")
      .Doc("Gradient of ResizeBicubic.")
      .Kernel("CPU", New<FromFloat<true>, Method::kCubic, true>);
}

}  // namespace families
}  // namespace millrace
