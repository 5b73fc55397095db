// Compiled twice, see linalg/gemm_tile.cc: nothing of the standard library.
#include "millrace/ops/nn/depthwise_tile.h"

#include "millrace/ops/linalg/tile_vector.h"

namespace millrace::linalg::MILLRACE_ISA {
namespace {

using nn::DepthwiseRowArgs;

// A vector of channels, whole or with the first lanes only.
template <typename T, bool kMasked>
struct Channels {
  Mask mask;
  MR_INLINE V<T> Get(const T* p) const {
    if constexpr (kMasked) {
      return Load(p, mask);
    } else {
      return Load(p);
    }
  }
  MR_INLINE void Put(T* p, V<T> v) const {
    if constexpr (kMasked) {
      Store(p, v, mask);
    } else {
      Store(p, v);
    }
  }
};

template <typename T, typename C>
MR_INLINE void Finish(const DepthwiseRowArgs<T>& t, C channels, int64_t pixel, int64_t channel, V<T> x) {
  const Epilogue<T>& e = t.epilogue;
  const int64_t at = pixel * t.channels + channel;
  if (e.bias != nullptr) x += channels.Get(e.bias + channel);
  if (e.residual != nullptr) x += channels.Get(e.residual + at);
  channels.Put(t.output + at, Activate<T>(x, e.activation, e.alpha));
}

// kPixels outputs from `pixel`, taps [begin, end) of each row of the window.
template <typename T, int kPixels, typename C>
MR_INLINE void Pixels(const DepthwiseRowArgs<T>& t, C channels, int64_t pixel, int64_t channel, int64_t begin,
                      int64_t end) {
  V<T> acc[kPixels] = {};
  const int64_t step = t.stride * t.channels;
  for (int64_t r = t.row_begin; r < t.row_end; ++r) {
    const T* x = t.input + r * t.row_stride + (pixel * t.stride - t.pad) * t.channels + channel;
    const T* w = t.filter + r * t.window * t.channels + channel;
    for (int64_t k = begin; k < end; ++k) {
      const V<T> wv = channels.Get(w + k * t.channels);
      const T* xk = x + k * t.dilation * t.channels;
#pragma clang loop unroll(full)
      for (int p = 0; p < kPixels; ++p) acc[p] = __builtin_elementwise_fma(channels.Get(xk + p * step), wv, acc[p]);
    }
  }
#pragma clang loop unroll(full)
  for (int p = 0; p < kPixels; ++p) Finish(t, channels, pixel + p, channel, acc[p]);
}

// The same for windows three wide without dilation: an element is loaded once
// for all the outputs that it goes into.
template <typename T, int kPixels, int kStride, typename C>
MR_INLINE void ThreeWide(const DepthwiseRowArgs<T>& t, C channels, int64_t pixel, int64_t channel) {
  constexpr int kLoads = (kPixels - 1) * kStride + 3;
  V<T> acc[kPixels] = {};
  for (int64_t r = t.row_begin; r < t.row_end; ++r) {
    const T* x = t.input + r * t.row_stride + (pixel * kStride - t.pad) * t.channels + channel;
    const T* w = t.filter + r * 3 * t.channels + channel;
    V<T> wv[3];
#pragma clang loop unroll(full)
    for (int k = 0; k < 3; ++k) wv[k] = channels.Get(w + k * t.channels);
#pragma clang loop unroll(full)
    for (int l = 0; l < kLoads; ++l) {
      const V<T> xv = channels.Get(x + l * t.channels);
#pragma clang loop unroll(full)
      for (int k = 0; k < 3; ++k) {
        const int from = l - k;
        if (from < 0 || from % kStride != 0 || from / kStride >= kPixels) continue;
        acc[from / kStride] = __builtin_elementwise_fma(xv, wv[k], acc[from / kStride]);
      }
    }
  }
#pragma clang loop unroll(full)
  for (int p = 0; p < kPixels; ++p) Finish(t, channels, pixel + p, channel, acc[p]);
}

template <typename T, typename C>
void Columns(const DepthwiseRowArgs<T>& t, C channels, int64_t channel) {
  // Outputs [first, last) have their whole window in the image.
  const int64_t span = (t.window - 1) * t.dilation;
  int64_t first = t.pad <= 0 ? 0 : (t.pad + t.stride - 1) / t.stride;
  if (first > t.out_width) first = t.out_width;
  const int64_t room = t.in_width - 1 - span + t.pad;
  int64_t last = room < 0 ? 0 : room / t.stride + 1;
  if (last > t.out_width) last = t.out_width;
  if (last < first) last = first;
  const auto edge = [&](int64_t pixel) __attribute__((always_inline)) {
    const int64_t at = pixel * t.stride - t.pad;
    const int64_t begin = at >= 0 ? 0 : (-at + t.dilation - 1) / t.dilation;
    int64_t end = at >= t.in_width ? 0 : (t.in_width - 1 - at) / t.dilation + 1;
    if (end > t.window) end = t.window;
    Pixels<T, 1>(t, channels, pixel, channel, begin, end);
  };
  int64_t pixel = 0;
  for (; pixel < first; ++pixel) edge(pixel);
  if (t.window == 3 && t.dilation == 1 && t.stride == 1) {
    for (; pixel + 8 <= last; pixel += 8) ThreeWide<T, 8, 1>(t, channels, pixel, channel);
    for (; pixel + 2 <= last; pixel += 2) ThreeWide<T, 2, 1>(t, channels, pixel, channel);
  } else if (t.window == 3 && t.dilation == 1 && t.stride == 2) {
    for (; pixel + 8 <= last; pixel += 8) ThreeWide<T, 8, 2>(t, channels, pixel, channel);
    for (; pixel + 2 <= last; pixel += 2) ThreeWide<T, 2, 2>(t, channels, pixel, channel);
  }
  for (; pixel + 8 <= last; pixel += 8) Pixels<T, 8>(t, channels, pixel, channel, 0, t.window);
  for (; pixel < last; ++pixel) Pixels<T, 1>(t, channels, pixel, channel, 0, t.window);
  for (; pixel < t.out_width; ++pixel) edge(pixel);
}

template <typename T>
void Row(const DepthwiseRowArgs<T>& t) {
  constexpr int64_t kLane = kLanes<T>;
  int64_t channel = 0;
  for (; channel + kLane <= t.channels; channel += kLane) Columns(t, Channels<T, false>{}, channel);
  if (channel < t.channels) {
    Columns(t, Channels<T, true>{Mask::First<T>(t.channels - channel)}, channel);
  }
}

}  // namespace

extern const nn::DepthwiseKernels kDepthwiseKernels;
const nn::DepthwiseKernels kDepthwiseKernels = {Row<float>, Row<double>};

}  // namespace millrace::linalg::MILLRACE_ISA
