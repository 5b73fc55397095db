#include "millrace/ops/nn/filter_gradient.h"

#include <algorithm>
#include <cstring>

#include "millrace/ops/kernel/units.h"
#include "millrace/ops/linalg/gemm.h"
#include "millrace/ops/linalg/transpose_block.h"

namespace millrace::nn {
namespace {

using linalg::kPanelColumns;

size_t Align(size_t bytes) { return (bytes + 63) / 64 * 64; }

// A tap of the window meets the padded image shifted by the tap's place. So that a
// shifted row is a run of memory, images are copied with a plane for each channel,
// and within it one for each remainder of the column by the stride:
//   planes[image][channel][remainder][row][column / stride]
// The gradient is copied into panels. Both for a few images at a time, then all
// taps work on those.
struct Plan {
  int64_t rows = 0, columns = 0;
  int64_t remainder_stride = 0, channel_stride = 0, image_stride = 0;
  int64_t grad_stride = 0;  // from image to image of the packed gradient
  int64_t images = 0;       // at a time
  bool taps_as_rows = false;
  int64_t chunk = 0, chunks = 0;  // channels of a unit
  int64_t units = 0;
  size_t planes_bytes = 0, grad_bytes = 0;
};

template <typename T>
Plan PlanFor(const ConvolutionShape& s) {
  constexpr int64_t kBytes = sizeof(T);
  constexpr int64_t kLine = 64 / kBytes;
  constexpr int64_t kAtATime = 512 << 10;  // so that it stays in the second cache
  constexpr int64_t kChannels = 56;        // four strips of the tallest tile
  Plan p;
  p.rows = (s.out[0] - 1) * s.stride[0] + (s.window[0] - 1) * s.dilation[0] + 1;
  p.columns = CeilDiv((s.out[1] - 1) * s.stride[1] + (s.window[1] - 1) * s.dilation[1] + 1, s.stride[1]);
  p.remainder_stride = p.rows * p.columns;
  // An odd number of lines: the planes' rows fall into different sets of the first cache.
  p.channel_stride = (CeilDiv(s.stride[1] * p.remainder_stride, kLine) | 1) * kLine;
  p.image_stride = s.channels * p.channel_stride;
  p.grad_stride = s.groups * linalg::PackedElements<T>(s.out[0] * s.out[1], s.group_out_channels());
  p.images = std::clamp<int64_t>(kAtATime / ((p.image_stride + p.grad_stride) * kBytes), 1, s.batch);
  // A unit's rows: channels at one tap, or the taps of a window's row at one channel.
  p.taps_as_rows = s.stride[1] == 1 && s.group_channels() < s.window[1];
  p.chunk = p.taps_as_rows ? 1 : std::min(s.group_channels(), kChannels);
  p.chunks = CeilDiv(s.group_channels(), p.chunk);
  p.units = s.window[0] * (p.taps_as_rows ? 1 : s.window[1]) * s.groups * p.chunks;
  p.planes_bytes = Align(static_cast<size_t>(p.images * p.image_stride * kBytes));
  p.grad_bytes = Align(static_cast<size_t>(p.images * p.grad_stride * kBytes));
  return p;
}

// Of a filter of one element: the image's transpose times the gradient.
template <typename T>
linalg::GemmArgs<T> AsProduct(const FilterGradientArgs<T>& a) {
  const ConvolutionShape& s = a.shape;
  linalg::GemmArgs<T> g;
  g.m = s.channels;
  g.n = s.out_channels;
  g.k = s.batch * s.out[0] * s.out[1];
  g.a = a.image;
  g.a_stride = s.channels;
  g.a_transposed = true;
  g.b = a.grad;
  g.b_stride = s.out_channels;
  g.c = a.result;
  g.c_stride = s.out_channels;
  return g;
}

// Channels [c0, c0 + count) of image n into their planes, padded.
template <typename T>
void FillPlanes(const FilterGradientArgs<T>& a, const Plan& p, int64_t n, int64_t c0, int64_t count, T* planes) {
  const ConvolutionShape& s = a.shape;
  for (int64_t remainder = 0; remainder < s.stride[1]; ++remainder) {
    // Columns of the plane that lie in the image: 0 <= remainder + q * stride - pad < width.
    const int64_t shift = remainder - s.pad[1];
    const int64_t first = std::min(p.columns, shift >= 0 ? 0 : CeilDiv(-shift, s.stride[1]));
    const int64_t last =
        shift >= s.in[1] ? first : std::clamp((s.in[1] - 1 - shift) / s.stride[1] + 1, first, p.columns);
    for (int64_t row = 0; row < p.rows; ++row) {
      const int64_t y = row - s.pad[0];
      const bool inside = y >= 0 && y < s.in[0] && last > first;
      T* const to = planes + c0 * p.channel_stride + remainder * p.remainder_stride + row * p.columns;
      for (int64_t c = 0; c < count; ++c) {
        T* const r = to + c * p.channel_stride;
        std::fill(r, r + (inside ? first : p.columns), T(0));
        if (inside) std::fill(r + last, r + p.columns, T(0));
      }
      if (!inside) continue;
      const int64_t x = first * s.stride[1] + shift;
      if (!s.nchw) {
        linalg::TransposedCopy(a.image + ((n * s.in[0] + y) * s.in[1] + x) * s.channels + c0, s.stride[1] * s.channels,
                               last - first, count, to + first, p.channel_stride);
        continue;
      }
      for (int64_t c = 0; c < count; ++c) {
        const T* from = a.image + ((n * s.channels + c0 + c) * s.in[0] + y) * s.in[1] + x;
        T* const r = to + c * p.channel_stride + first;
        for (int64_t q = 0; q < last - first; ++q) r[q] = from[q * s.stride[1]];
      }
    }
  }
}

// The gradient of image n, group by group.
template <typename T>
void FillGrad(const FilterGradientArgs<T>& a, int64_t n, T* packed) {
  const ConvolutionShape& s = a.shape;
  const int64_t pixels = s.out[0] * s.out[1], gn = s.group_out_channels();
  const T* const image = a.grad + n * pixels * s.out_channels;
  for (int64_t group = 0; group < s.groups; ++group) {
    linalg::PackPanels(image + group * gn * (s.nchw ? pixels : 1), s.nchw ? pixels : s.out_channels, s.nchw, pixels, gn,
                       0, CeilDiv(gn, kPanelColumns<T>), packed + group * linalg::PackedElements<T>(pixels, gn));
  }
}

// Unit u over `images` images, the first of all or not.
template <typename T>
void Unit(const FilterGradientArgs<T>& a, const Plan& p, int64_t u, const T* planes, const T* packed, int64_t images,
          bool first) {
  const ConvolutionShape& s = a.shape;
  const int64_t gc = s.group_channels(), gn = s.group_out_channels(), pixels = s.out[0] * s.out[1];
  const int64_t c0 = u % p.chunks * p.chunk, group = u / p.chunks % s.groups, tap = u / (p.chunks * s.groups);
  const int64_t ky = p.taps_as_rows ? tap : tap / s.window[1], kx = p.taps_as_rows ? 0 : tap % s.window[1];
  const int64_t x = kx * s.dilation[1];
  linalg::TileArgs<T> t;
  t.a = planes + (group * gc + c0) * p.channel_stride + x % s.stride[1] * p.remainder_stride +
        ky * s.dilation[0] * p.columns + x / s.stride[1];
  t.a_row_stride = p.taps_as_rows ? s.dilation[1] : p.channel_stride;
  t.outer_count = s.out[0];
  t.outer_stride = s.stride[0] * p.columns;
  t.inner_count = 1;
  t.inner_stride = 0;
  t.run_length = s.out[1];
  t.b = packed + group * linalg::PackedElements<T>(pixels, gn);
  t.b_row_stride = kPanelColumns<T>;
  t.b_panel_stride = pixels * kPanelColumns<T>;
  t.c = a.result + ((ky * s.window[1] + kx) * gc + c0) * s.out_channels + group * gn;
  t.c_row_stride = (p.taps_as_rows ? gc : 1) * s.out_channels;
  t.rows = p.taps_as_rows ? s.window[1] : std::min(p.chunk, gc - c0);
  t.columns = gn;
  for (int64_t n = 0; n < images; ++n) {
    t.accumulate = !first || n > 0;
    linalg::RunTile(t);
    t.a += p.image_stride;
    t.b += p.grad_stride;
  }
}

}  // namespace

template <typename T>
size_t FilterGradientScratchBytes(const FilterGradientArgs<T>& a, int workers) {
  if (a.shape.product()) return linalg::GemmScratchBytes(AsProduct(a), workers);
  const Plan p = PlanFor<T>(a.shape);
  return p.planes_bytes + p.grad_bytes;
}

template <typename T>
void RunFilterGradient(KernelContext& ctx, const FilterGradientArgs<T>& a, void* scratch) {
  const ConvolutionShape& s = a.shape;
  if (s.product()) return linalg::Gemm(ctx, AsProduct(a), scratch);
  const Plan p = PlanFor<T>(s);
  T* const planes = static_cast<T*>(scratch);
  T* const packed = reinterpret_cast<T*>(static_cast<char*>(scratch) + p.planes_bytes);
  constexpr int64_t kChannels = 32;  // that are copied together
  const int64_t parts = CeilDiv(s.channels, kChannels);
  const double flops = static_cast<double>(s.depth() * s.out_channels) * static_cast<double>(s.out[0] * s.out[1]);
  for (int64_t n0 = 0; n0 < s.batch; n0 += p.images) {
    const int64_t images = std::min(p.images, s.batch - n0);
    ctx.ParallelFor(images * parts, BlockFor(static_cast<double>(kChannels * p.channel_stride)),
                    [&](int64_t begin, int64_t end, int) {
                      for (int64_t u = begin; u < end; ++u) {
                        const int64_t c0 = u % parts * kChannels;
                        FillPlanes(a, p, n0 + u / parts, c0, std::min(kChannels, s.channels - c0),
                                   planes + u / parts * p.image_stride);
                      }
                    });
    ctx.ParallelFor(images, BlockFor(static_cast<double>(p.grad_stride)), [&](int64_t begin, int64_t end, int) {
      for (int64_t n = begin; n < end; ++n) FillGrad(a, n0 + n, packed + n * p.grad_stride);
    });
    ctx.ParallelFor(p.units, BlockFor(flops * static_cast<double>(images) / 24.0 / static_cast<double>(p.units)),
                    [&](int64_t begin, int64_t end, int) {
                      for (int64_t u = begin; u < end; ++u) Unit(a, p, u, planes, packed, images, n0 == 0);
                    });
  }
}

#define MR_INSTANTIATE(T)                                                           \
  template size_t FilterGradientScratchBytes<T>(const FilterGradientArgs<T>&, int); \
  template void RunFilterGradient<T>(KernelContext&, const FilterGradientArgs<T>&, void*);
MR_INSTANTIATE(float)
MR_INSTANTIATE(double)
#undef MR_INSTANTIATE

}  // namespace millrace::nn
