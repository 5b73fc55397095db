#include "millrace/ops/nn/image_planes.h"

#include <algorithm>

#include "millrace/ops/kernel/units.h"
#include "millrace/ops/linalg/transpose_block.h"

namespace millrace::nn {

template <typename T>
ImagePlanes ImagePlanesFor(const ConvolutionShape& s, int64_t out_rows) {
  constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(T));
  ImagePlanes p;
  p.rows = (out_rows - 1) * s.stride[0] + (s.window[0] - 1) * s.dilation[0] + 1;
  p.columns = CeilDiv((s.out[1] - 1) * s.stride[1] + (s.window[1] - 1) * s.dilation[1] + 1, s.stride[1]);
  p.remainder_stride = p.rows * p.columns;
  // An odd number of lines: the planes' rows fall into different sets of the first cache.
  p.channel_stride = (CeilDiv(s.stride[1] * p.remainder_stride, kLine) | 1) * kLine;
  p.elements = s.channels * p.channel_stride;
  return p;
}

template <typename T>
void FillImagePlanes(const ConvolutionShape& s, const ImagePlanes& p, const T* image, int64_t y0, int64_t c0,
                     int64_t count, T* planes) {
  for (int64_t remainder = 0; remainder < s.stride[1]; ++remainder) {
    // Columns of the plane that lie in the image: 0 <= remainder + q * stride - pad < width.
    const int64_t shift = remainder - s.pad[1];
    const int64_t first = std::min(p.columns, shift >= 0 ? 0 : CeilDiv(-shift, s.stride[1]));
    const int64_t last =
        shift >= s.in[1] ? first : std::clamp((s.in[1] - 1 - shift) / s.stride[1] + 1, first, p.columns);
    for (int64_t row = 0; row < p.rows; ++row) {
      const int64_t y = y0 * s.stride[0] + row - s.pad[0];
      const bool inside = y >= 0 && y < s.in[0] && last > first;
      T* const to = planes + c0 * p.channel_stride + remainder * p.remainder_stride + row * p.columns;
      if (!inside) {
        for (int64_t c = 0; c < count; ++c) std::fill_n(to + c * p.channel_stride, p.columns, T(0));
        continue;
      }
      // Column by column: a border is an element or two of each channel.
      const auto clear = [&](int64_t begin, int64_t end) {
        for (int64_t q = begin; q < end; ++q) {
          for (int64_t c = 0; c < count; ++c) to[c * p.channel_stride + q] = T(0);
        }
      };
      clear(0, first);
      clear(last, p.columns);
      const int64_t x = first * s.stride[1] + shift;
      if (!s.nchw) {
        linalg::TransposedCopy(image + (y * s.in[1] + x) * s.channels + c0, s.stride[1] * s.channels, last - first,
                               count, to + first, p.channel_stride);
        continue;
      }
      for (int64_t c = 0; c < count; ++c) {
        const T* from = image + ((c0 + c) * s.in[0] + y) * s.in[1] + x;
        T* const r = to + c * p.channel_stride + first;
        for (int64_t q = 0; q < last - first; ++q) r[q] = from[q * s.stride[1]];
      }
    }
  }
}

#define MR_INSTANTIATE(T)                                                                                            \
  template ImagePlanes ImagePlanesFor<T>(const ConvolutionShape&, int64_t);                                          \
  template void FillImagePlanes<T>(const ConvolutionShape&, const ImagePlanes&, const T*, int64_t, int64_t, int64_t, \
                                   T*);
MR_INSTANTIATE(float)
MR_INSTANTIATE(double)
#undef MR_INSTANTIATE

}  // namespace millrace::nn
