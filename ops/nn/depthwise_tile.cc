// Compiled twice, see linalg/gemm_tile.cc: nothing of the standard library.
#include "millrace/ops/nn/depthwise_tile.h"

#include "millrace/ops/linalg/tile_vector.h"

namespace millrace::linalg::MILLRACE_ISA {
namespace {

using nn::DepthwiseArgs;

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

// Rows of the window that lie in the image, and the first of them.
template <typename T>
struct WindowRows {
  int64_t begin, end;
  const T* input;   // under row `begin` of the window
  const T* filter;  // of row `begin`
  int64_t input_step, filter_step;
};

// Applies the epilogue to kPixels neighbouring outputs and stores them.
template <typename T, int kPixels, typename C>
MR_INLINE void Finish(const DepthwiseArgs<T>& t, C channels, int64_t at, int64_t channel, V<T> (&acc)[kPixels]) {
  const Epilogue<T>& e = t.epilogue;
  if (e.bias != nullptr) {
    const V<T> bias = channels.Get(e.bias + channel);
#pragma clang loop unroll(full)
    for (int p = 0; p < kPixels; ++p) acc[p] += bias;
  }
  if (e.residual != nullptr) {
#pragma clang loop unroll(full)
    for (int p = 0; p < kPixels; ++p) acc[p] += channels.Get(e.residual + at + p * t.channels);
  }
  Activate<T>(acc, e.activation, e.alpha);
#pragma clang loop unroll(full)
  for (int p = 0; p < kPixels; ++p) channels.Put(t.output + at + p * t.channels, acc[p]);
}

// kPixels outputs from `pixel`, taps [begin, end) of each row of the window.
// `at` is where the row's first output goes.
template <typename T, int kPixels, typename C>
MR_INLINE void Pixels(const DepthwiseArgs<T>& t, C channels, const WindowRows<T>& rows, int64_t at, int64_t pixel,
                      int64_t channel, int64_t begin, int64_t end) {
  V<T> acc[kPixels] = {};
  const int64_t step = t.stride[1] * t.channels;
  const T* x = rows.input + (pixel * t.stride[1] - t.pad[1]) * t.channels + channel;
  const T* w = rows.filter + channel;
  for (int64_t r = rows.begin; r < rows.end; ++r, x += rows.input_step, w += rows.filter_step) {
    for (int64_t k = begin; k < end; ++k) {
      const V<T> wv = channels.Get(w + k * t.channels);
      const T* xk = x + k * t.dilation[1] * t.channels;
#pragma clang loop unroll(full)
      for (int p = 0; p < kPixels; ++p) acc[p] = __builtin_elementwise_fma(channels.Get(xk + p * step), wv, acc[p]);
    }
  }
  Finish(t, channels, at + pixel * t.channels + channel, channel, acc);
}

// The same for windows three wide without dilation: an element is loaded once
// for all the outputs that it goes into. Where kLeft, the first tap of the first
// output lies outside the image; where kRight, the last of the last.
template <typename T, int kPixels, int kStride, bool kLeft, bool kRight, typename C>
MR_INLINE void ThreeWide(const DepthwiseArgs<T>& t, C channels, const WindowRows<T>& rows, int64_t at, int64_t pixel,
                         int64_t channel) {
  constexpr int kLoads = (kPixels - 1) * kStride + 3;
  V<T> acc[kPixels] = {};
  const T* x = rows.input + (pixel * kStride - t.pad[1]) * t.channels + channel;
  const T* w = rows.filter + channel;
  for (int64_t r = rows.begin; r < rows.end; ++r, x += rows.input_step, w += rows.filter_step) {
    V<T> wv[3];
#pragma clang loop unroll(full)
    for (int k = 0; k < 3; ++k) wv[k] = channels.Get(w + k * t.channels);
#pragma clang loop unroll(full)
    for (int l = kLeft ? 1 : 0; l < (kRight ? kLoads - 1 : kLoads); ++l) {
      const V<T> xv = channels.Get(x + l * t.channels);
#pragma clang loop unroll(full)
      for (int k = 0; k < 3; ++k) {
        const int from = l - k;
        if (from < 0 || from % kStride != 0 || from / kStride >= kPixels) continue;
        acc[from / kStride] = __builtin_elementwise_fma(xv, wv[k], acc[from / kStride]);
      }
    }
  }
  Finish(t, channels, at + pixel * t.channels + channel, channel, acc);
}

// Outputs [pixel, last) of a row, whose windows lie in the image but for one
// column on the left and on the right.
template <typename T, int kStride, typename C>
MR_INLINE void ThreeWideRow(const DepthwiseArgs<T>& t, C channels, const WindowRows<T>& rows, int64_t at, int64_t pixel,
                            int64_t last, bool left, bool right, int64_t channel) {
  if (left && last - pixel >= 5) {
    ThreeWide<T, 4, kStride, true, false>(t, channels, rows, at, pixel, channel);
    pixel += 4;
  } else if (left) {
    // A narrow row: only the taps inside, one output at a time.
    const int64_t end = right && last - pixel == 1 ? 2 : 3;
    Pixels<T, 1>(t, channels, rows, at, pixel, channel, 1, end);
    if (++pixel == last) return;
  }
  const int64_t inside = right ? last - 1 : last;
  for (; pixel + 8 <= inside; pixel += 8) ThreeWide<T, 8, kStride, false, false>(t, channels, rows, at, pixel, channel);
  if (right && last - pixel >= 4) {
    for (; pixel + 4 < last; ++pixel) ThreeWide<T, 1, kStride, false, false>(t, channels, rows, at, pixel, channel);
    ThreeWide<T, 4, kStride, false, true>(t, channels, rows, at, pixel, channel);
    return;
  }
  for (; pixel + 2 <= inside; pixel += 2) ThreeWide<T, 2, kStride, false, false>(t, channels, rows, at, pixel, channel);
  for (; pixel < inside; ++pixel) ThreeWide<T, 1, kStride, false, false>(t, channels, rows, at, pixel, channel);
  if (right) ThreeWide<T, 1, kStride, false, true>(t, channels, rows, at, pixel, channel);
}

// All rows for one vector of channels: what three rows of it take fits the first
// cache.
template <typename T, typename C>
void Columns(const DepthwiseArgs<T>& t, C channels, int64_t channel) {
  // Outputs [first, last) have their whole window in the image.
  const int64_t stride = t.stride[1], dilation = t.dilation[1], pad = t.pad[1];
  const int64_t span = (t.window[1] - 1) * dilation;
  int64_t first = pad <= 0 ? 0 : (pad + stride - 1) / stride;
  if (first > t.out_width) first = t.out_width;
  const int64_t room = t.in_width - 1 - span + pad;
  int64_t last = room < 0 ? 0 : room / stride + 1;
  if (last > t.out_width) last = t.out_width;
  if (last < first) last = first;
  // One column of padding at most, and on the right one that the last window
  // reaches into by a single tap.
  const bool three = t.window[1] == 3 && dilation == 1 && stride <= 2 && (pad == 0 || pad == 1) &&
                     (t.out_width - 1) * stride - pad + 3 <= t.in_width + 1 && t.in_width >= 2;
  const bool right = (t.out_width - 1) * stride - pad + 3 == t.in_width + 1;
  const int64_t in_row = t.in_width * t.channels;
  int64_t at = 0;
  for (int64_t y = t.row_begin; y < t.row_end; ++y, at += t.out_width * t.channels) {
    const int64_t top = y * t.stride[0] - t.pad[0];
    WindowRows<T> rows;
    rows.begin = top >= 0 ? 0 : (-top + t.dilation[0] - 1) / t.dilation[0];
    rows.end = top >= t.in_height ? 0 : (t.in_height - 1 - top) / t.dilation[0] + 1;
    if (rows.end > t.window[0]) rows.end = t.window[0];
    rows.input_step = t.dilation[0] * in_row;
    rows.filter_step = t.window[1] * t.channels;
    rows.input = t.input + top * in_row + rows.begin * rows.input_step;
    rows.filter = t.filter + rows.begin * rows.filter_step;
    if (three && stride == 1) {
      ThreeWideRow<T, 1>(t, channels, rows, at, 0, t.out_width, pad == 1, right, channel);
      continue;
    }
    if (three) {
      ThreeWideRow<T, 2>(t, channels, rows, at, 0, t.out_width, pad == 1, right, channel);
      continue;
    }
    const auto edge = [&](int64_t pixel) __attribute__((always_inline)) {
      const int64_t left = pixel * stride - pad;
      const int64_t begin = left >= 0 ? 0 : (-left + dilation - 1) / dilation;
      int64_t end = left >= t.in_width ? 0 : (t.in_width - 1 - left) / dilation + 1;
      if (end > t.window[1]) end = t.window[1];
      Pixels<T, 1>(t, channels, rows, at, pixel, channel, begin, end);
    };
    int64_t pixel = 0;
    for (; pixel < first; ++pixel) edge(pixel);
    for (; pixel + 8 <= last; pixel += 8) Pixels<T, 8>(t, channels, rows, at, pixel, channel, 0, t.window[1]);
    for (; pixel < last; ++pixel) Pixels<T, 1>(t, channels, rows, at, pixel, channel, 0, t.window[1]);
    for (; pixel < t.out_width; ++pixel) edge(pixel);
  }
}

// Output rows whose input is small enough to stay in the second cache while the
// channels take their turns.
constexpr int64_t kBandBytes = 192 << 10;

template <typename T>
void Band(const DepthwiseArgs<T>& t) {
  constexpr int64_t kLane = kLanes<T>;
  const int64_t row_bytes = t.in_width * t.channels * static_cast<int64_t>(sizeof(T));
  const int64_t span = (t.window[0] - 1) * t.dilation[0] + 1;
  int64_t rows = row_bytes > 0 ? (kBandBytes / row_bytes - span) / t.stride[0] + 1 : 1;
  if (rows < 1) rows = 1;
  DepthwiseArgs<T> part = t;
  for (int64_t y = t.row_begin; y < t.row_end; y += rows) {
    part.row_begin = y;
    part.row_end = y + rows < t.row_end ? y + rows : t.row_end;
    const int64_t done = (y - t.row_begin) * t.out_width * t.channels;
    part.output = t.output + done;
    if (t.epilogue.residual != nullptr) part.epilogue.residual = t.epilogue.residual + done;
    int64_t channel = t.channel_begin;
    for (; channel + kLane <= t.channel_end; channel += kLane) Columns(part, Channels<T, false>{}, channel);
    if (channel < t.channel_end) {
      Columns(part, Channels<T, true>{Mask::First<T>(t.channel_end - channel)}, channel);
    }
  }
}

}  // namespace

extern const nn::DepthwiseKernels kDepthwiseKernels;
const nn::DepthwiseKernels kDepthwiseKernels = {Band<float>, Band<double>};

}  // namespace millrace::linalg::MILLRACE_ISA
