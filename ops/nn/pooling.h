// PoolShape: the geometry that forward and backward pooling share.
#pragma once

#include <algorithm>
#include <cstdint>

#include "millrace/ops/kernel/kernel.h"
#include "millrace/ops/nn/window.h"
#include "millrace/proto/value/half.h"

namespace millrace::nn {

// Channels that a kernel accumulates at a time, on its stack.
inline constexpr int64_t kPoolChannels = 128;

// Images with the channels last. NCHW is this with a channel for each image.
struct PoolShape {
  int64_t batch, channels;
  int64_t in[2], out[2], window[2], stride[2], pad[2];
  int64_t image_channels;  // of the node: numbers positions in NCHW

  struct Range {
    int64_t begin, end;
  };
  // Input positions under output `o` along dimension i, inside the image.
  Range Under(int i, int64_t o) const {
    const int64_t at = o * stride[i] - pad[i];
    const int64_t begin = std::clamp<int64_t>(at, 0, in[i]);
    return {begin, std::clamp<int64_t>(at + window[i], begin, in[i])};
  }
};

// Windows that do not overlap. MaxPoolGrad of such reads each before it writes it, and
// may write its result over the image.
inline bool WindowsApart(const WindowAttrs& attrs) {
  return !attrs.along_depth && attrs.window[0] <= attrs.stride[0] && attrs.window[1] <= attrs.stride[1];
}

// Of the shapes of image and result.
PoolShape PoolShapeOf(const WindowAttrs& attrs, std::span<const int64_t> image, std::span<const int64_t> result);

// The shape of a pooled image; `window` and `stride` may come from operands.
Status PooledShape(InferenceContext& ctx, const WindowAttrs& attrs, const SymShape& image, SymShape* out);

// MaxPoolV2 and MaxPoolGradV2: operands `first` (window) and `first` + 1 (stride)
// in place of attributes. False in `known` where inference does not know them.
Status WindowFromElements(InferenceContext& ctx, int first, WindowAttrs* attrs, bool* known);
Status WindowFromTensors(const TensorView& window, const TensorView& stride, WindowAttrs* attrs);

// What a pooling op runs. `first_operand` >= 0: the window and its stride are input
// `first_operand` and the next one, in place of attributes.
class PoolKernel final : public Kernel {
 public:
  using Fn = void (*)(KernelContext&, const WindowAttrs&);
  PoolKernel(WindowAttrs attrs, Fn fn, int first_operand) : attrs_(attrs), fn_(fn), first_operand_(first_operand) {}
  Status Run(KernelContext& ctx) const override;

 private:
  WindowAttrs attrs_;
  Fn fn_;
  int first_operand_;
};
// Unimplemented where `fn` is null: no such op on elements of `type`.
Result<std::unique_ptr<Kernel>> NewPoolKernel(const KernelInit& init, DType type, PoolKernel::Fn fn,
                                              int first_operand = -1);

// 16-bit floating-point numbers are compared and added as float.
template <typename T>
T PoolValue(T v) {
  return v;
}
inline float PoolValue(Half v) { return static_cast<float>(v); }
inline float PoolValue(BFloat16 v) { return static_cast<float>(v); }

}  // namespace millrace::nn
