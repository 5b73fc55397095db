#include "millrace/ops/nn/filter_gradient.h"

#include <algorithm>
#include <cstring>

#include "millrace/ops/kernel/units.h"
#include "millrace/ops/linalg/gemm.h"
#include "millrace/ops/nn/image_planes.h"

namespace millrace::nn {
namespace {

using linalg::kPanelColumns;

size_t Align(size_t bytes) { return (bytes + 63) / 64 * 64; }

// Bands of images at a time, so that they stay in the second cache: the planes of the
// image and panels of the gradient are made, then all units go over the bands.
//
// A tap of the window meets the padded image shifted by the tap's place: a product of
// its planes, whose rows are channels, and of the gradient. A few channels would be
// products of a few rows: then the taps are copied out, and the rows of the product
// are the taps of the channels. It is cheap for those to read the gradient in place.
struct Plan {
  int64_t band = 0, bands = 0;  // output rows of a band, bands of an image
  int64_t at_a_time = 0;        // bands
  ImagePlanes planes;           // of a band
  bool taps_as_rows = false;
  int64_t tap_stride = 0, tap_elements = 0;  // from tap to tap, and of all of a band
  bool pack_grad = true;
  int64_t grad_elements = 0;      // of a band's panels
  int64_t chunk = 0, chunks = 0;  // a group's rows of a unit, where they are channels
  int64_t columns = 0, column_parts = 0;
  int64_t units = 0;
  size_t planes_bytes = 0, grad_bytes = 0, taps_bytes = 0;

  // Of band i of all: its image, and its rows of the output.
  struct Band {
    int64_t image, y0, y1;
  };
  Band BandAt(const ConvolutionShape& s, int64_t i) const {
    const int64_t y0 = i % bands * band;
    return {i / bands, y0, std::min(s.out[0], y0 + band)};
  }
};

int64_t Taps(const ConvolutionShape& s) { return s.window[0] * s.window[1]; }

template <typename T>
Plan PlanFor(const ConvolutionShape& s) {
  constexpr int64_t kBytes = sizeof(T);
  constexpr int64_t kLine = 64 / kBytes;
  constexpr int64_t kAtATime = 512 << 10;
  constexpr int64_t kTapBytes = 64 << 10;  // of a band
  constexpr int64_t kLeastPixels = 256;    // of a band, or loading the sums would count
  constexpr int64_t kFewChannels = 4;
  constexpr int64_t kTallest = 14;  // rows of a tile
  const int64_t gc = s.group_channels(), gn = s.group_out_channels(), rows = Taps(s) * s.channels;
  Plan p;
  p.taps_as_rows = gc < kFewChannels;
  p.pack_grad = !p.taps_as_rows || s.nchw;
  const int64_t row_elements =
      p.taps_as_rows
          ? rows * s.out[1]
          : ImagePlanesFor<T>(s, 1).columns * s.stride[0] * s.stride[1] * s.channels + s.out[1] * s.out_channels;
  const int64_t fitting = (p.taps_as_rows ? kTapBytes : kAtATime) / (row_elements * kBytes);
  p.bands = CeilDiv(s.out[0], std::clamp(fitting, std::min(s.out[0], CeilDiv(kLeastPixels, s.out[1])), s.out[0]));
  p.band = CeilDiv(s.out[0], p.bands);
  p.bands = CeilDiv(s.out[0], p.band);
  const int64_t pixels = p.band * s.out[1];
  p.planes = ImagePlanesFor<T>(s, p.band);
  if (p.pack_grad) p.grad_elements = s.groups * linalg::PackedElements<T>(pixels, gn);
  p.columns = gn;
  if (p.taps_as_rows) {
    // An odd number of lines, as of the planes.
    p.tap_stride = (CeilDiv(pixels, kLine) | 1) * kLine;
    p.tap_elements = rows * p.tap_stride;
    p.chunks = CeilDiv(Taps(s) * gc, kTallest);
    p.columns = kPanelColumns<T>;
    p.units = s.groups * p.chunks;
  } else {
    p.chunk = std::min(gc, 4 * kTallest);
    p.chunks = CeilDiv(gc, p.chunk);
    p.units = Taps(s) * s.groups * p.chunks;
  }
  p.column_parts = CeilDiv(gn, p.columns);
  p.units *= p.column_parts;
  const int64_t grad_read = p.pack_grad ? p.grad_elements : pixels * s.out_channels;
  p.at_a_time =
      std::clamp<int64_t>(kAtATime / ((p.planes.elements + p.tap_elements + grad_read) * kBytes), 1, s.batch * p.bands);
  const auto bytes = [&](int64_t elements) { return Align(static_cast<size_t>(p.at_a_time * elements * kBytes)); };
  p.planes_bytes = bytes(p.planes.elements);
  p.grad_bytes = bytes(p.grad_elements);
  p.taps_bytes = bytes(p.tap_elements);
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

// The panels of a band, group by group.
template <typename T>
void FillGrad(const FilterGradientArgs<T>& a, const Plan::Band& band, T* packed) {
  const ConvolutionShape& s = a.shape;
  const int64_t pixels = s.out[0] * s.out[1], gn = s.group_out_channels(), count = (band.y1 - band.y0) * s.out[1];
  const T* const from =
      a.grad + band.image * pixels * s.out_channels + band.y0 * s.out[1] * (s.nchw ? 1 : s.out_channels);
  for (int64_t group = 0; group < s.groups; ++group) {
    linalg::PackPanels(from + group * gn * (s.nchw ? pixels : 1), s.nchw ? pixels : s.out_channels, s.nchw, count, gn,
                       0, CeilDiv(gn, kPanelColumns<T>), packed + group * linalg::PackedElements<T>(count, gn));
  }
}

// The taps of a band, for each group in the order of the filter.
template <typename T>
void FillTaps(const ConvolutionShape& s, const Plan& p, const T* planes, const Plan::Band& band, T* taps) {
  const int64_t gc = s.group_channels();
  for (int64_t group = 0; group < s.groups; ++group) {
    for (int64_t tap = 0; tap < Taps(s); ++tap) {
      for (int64_t c = 0; c < gc; ++c, taps += p.tap_stride) {
        const T* from = planes + p.planes.Tap(s, group * gc + c, tap / s.window[1], tap % s.window[1]);
        T* to = taps;
        for (int64_t y = band.y0; y < band.y1; ++y, from += p.planes.RowStep(s), to += s.out[1]) {
          std::memcpy(to, from, static_cast<size_t>(s.out[1]) * sizeof(T));
        }
      }
    }
  }
}

// What the units read, of the bands [begin, end) of all.
template <typename T>
struct Bands {
  int64_t begin = 0, end = 0;
  T *planes = nullptr, *packed = nullptr, *taps = nullptr;
};

// Unit u over some bands.
template <typename T>
void Unit(const FilterGradientArgs<T>& a, const Plan& p, int64_t u, const Bands<T>& bands) {
  const ConvolutionShape& s = a.shape;
  const int64_t gc = s.group_channels(), gn = s.group_out_channels(), group_rows = Taps(s) * gc;
  const int64_t column = u % p.column_parts * p.columns, group = u / p.column_parts % s.groups;
  const int64_t part = u / (p.column_parts * s.groups);
  linalg::TileArgs<T> t;
  int64_t row, from;  // the first row in the group's filter, and where it begins in a band
  if (p.taps_as_rows) {
    row = PartBegin(group_rows, p.chunks, part);
    from = (group * group_rows + row) * p.tap_stride;
    t.rows = PartBegin(group_rows, p.chunks, part + 1) - row;
    t.a_row_stride = p.tap_stride;
    t.outer_count = 1;
    t.outer_stride = 0;
  } else {
    const int64_t c0 = part % p.chunks * p.chunk, tap = part / p.chunks;
    row = tap * gc + c0;
    from = p.planes.Tap(s, group * gc + c0, tap / s.window[1], tap % s.window[1]);
    t.rows = std::min(p.chunk, gc - c0);
    t.a_row_stride = p.planes.channel_stride;
    t.outer_stride = p.planes.RowStep(s);
    t.run_length = s.out[1];
  }
  t.inner_count = 1;
  t.inner_stride = 0;
  t.c = a.result + row * s.out_channels + group * gn + column;
  t.c_row_stride = s.out_channels;
  t.columns = std::min(p.columns, gn - column);
  for (int64_t i = bands.begin; i < bands.end; ++i) {
    const Plan::Band band = p.BandAt(s, i);
    const int64_t pixels = (band.y1 - band.y0) * s.out[1], at = i - bands.begin;
    if (p.taps_as_rows) {
      t.a = bands.taps + at * p.tap_elements + from;
      t.run_length = pixels;
    } else {
      t.a = bands.planes + at * p.planes.elements + from;
      t.outer_count = band.y1 - band.y0;
    }
    if (p.pack_grad) {
      constexpr int64_t kWidth = kPanelColumns<T>;
      t.b = bands.packed + at * p.grad_elements + group * linalg::PackedElements<T>(pixels, gn) + column * pixels;
      t.b_row_stride = kWidth;
      t.b_panel_stride = pixels * kWidth;
    } else {
      t.b = a.grad + (band.image * s.out[0] + band.y0) * s.out[1] * s.out_channels + group * gn + column;
      t.b_row_stride = s.out_channels;
      t.b_panel_stride = kPanelColumns<T>;
    }
    t.accumulate = i > 0;
    linalg::RunTile(t);
  }
}

}  // namespace

template <typename T>
size_t FilterGradientScratchBytes(const FilterGradientArgs<T>& a, int workers) {
  if (a.shape.product()) return linalg::GemmScratchBytes(AsProduct(a), workers);
  const Plan p = PlanFor<T>(a.shape);
  return p.planes_bytes + p.grad_bytes + p.taps_bytes;
}

template <typename T>
void RunFilterGradient(KernelContext& ctx, const FilterGradientArgs<T>& a, void* scratch) {
  const ConvolutionShape& s = a.shape;
  if (s.product()) return linalg::Gemm(ctx, AsProduct(a), scratch);
  const Plan p = PlanFor<T>(s);
  Bands<T> bands;
  bands.planes = static_cast<T*>(scratch);
  bands.packed = reinterpret_cast<T*>(static_cast<char*>(scratch) + p.planes_bytes);
  bands.taps = reinterpret_cast<T*>(static_cast<char*>(scratch) + p.planes_bytes + p.grad_bytes);
  // Channels that are copied together; of a few in each group, all, with their taps.
  const int64_t channels = p.taps_as_rows ? s.channels : std::min<int64_t>(s.channels, 32);
  const int64_t parts = CeilDiv(s.channels, channels), image_elements = s.in[0] * s.in[1] * s.channels;
  const double copied = static_cast<double>(channels * p.planes.channel_stride + p.tap_elements / 4);
  const double flops = static_cast<double>(s.depth() * s.out_channels) * static_cast<double>(p.band * s.out[1]);
  for (bands.begin = 0; bands.begin < s.batch * p.bands; bands.begin = bands.end) {
    bands.end = std::min(s.batch * p.bands, bands.begin + p.at_a_time);
    const int64_t count = bands.end - bands.begin;
    ctx.ParallelFor(count * parts, BlockFor(copied), [&](int64_t begin, int64_t end, int) {
      for (int64_t u = begin; u < end; ++u) {
        const int64_t i = u / parts, c0 = u % parts * channels;
        const Plan::Band band = p.BandAt(s, bands.begin + i);
        T* const planes = bands.planes + i * p.planes.elements;
        FillImagePlanes(s, p.planes, a.image + band.image * image_elements, band.y0, c0,
                        std::min(channels, s.channels - c0), planes);
        if (p.taps_as_rows) FillTaps(s, p, planes, band, bands.taps + i * p.tap_elements);
      }
    });
    if (p.pack_grad) {
      ctx.ParallelFor(count, BlockFor(static_cast<double>(p.grad_elements)), [&](int64_t begin, int64_t end, int) {
        for (int64_t i = begin; i < end; ++i) {
          FillGrad(a, p.BandAt(s, bands.begin + i), bands.packed + i * p.grad_elements);
        }
      });
    }
    ctx.ParallelFor(p.units, BlockFor(flops * static_cast<double>(count) / 24.0 / static_cast<double>(p.units)),
                    [&](int64_t begin, int64_t end, int) {
                      for (int64_t u = begin; u < end; ++u) Unit(a, p, u, bands);
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
