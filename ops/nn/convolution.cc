#include "millrace/ops/nn/convolution.h"

#include <algorithm>
#include <cstring>

#include "millrace/ops/kernel/units.h"
#include "millrace/ops/linalg/gemm.h"
#include "millrace/ops/linalg/transpose_block.h"
#include "millrace/proto/value/strings.h"

namespace millrace::nn {
namespace {

using linalg::kPanelColumns;

int64_t Align(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// How a convolution is done. It depends on the shapes alone; the bits of the
// result depend on nothing of it.
struct Plan {
  bool pack_filter = false;  // into the workspace
  bool copy_input = false;   // padded, spread or with the channels last
  bool shared_copy = false;  // one copy of an image for all workers, else one of a band for each
  int64_t padded_width = 0;  // of copied rows, in pixels
  int64_t band = 0;          // output rows of a unit of work
  int64_t bands = 0;
  int64_t columns = 0;  // output channels of a unit, within a group
  int64_t column_units = 0;
  int64_t panel_group = 0;  // output channels whose filter stays in the second cache
  int64_t filter_bytes = 0, shared_bytes = 0, worker_bytes = 0, band_bytes = 0, row_bytes = 0;
};

int64_t Span(const ConvolutionShape& s, int i) { return (s.window[i] - 1) * s.dilation[i] + 1; }
// Input rows (spread and padded) under `rows` output rows.
int64_t RowsUnder(const ConvolutionShape& s, int64_t rows) { return (rows - 1) * s.stride[0] + Span(s, 0); }

// True where windows touch only elements of the input as it lies in memory.
bool ReadsInPlace(const ConvolutionShape& s) {
  if (s.nchw && s.channels != 1) return false;
  for (int i = 0; i < 2; ++i) {
    if (s.input_dilation[i] != 1 || s.pad[i] > 0) return false;
    if ((s.out[i] - 1) * s.stride[i] + Span(s, i) - s.pad[i] > s.in[i]) return false;
  }
  return true;
}

template <typename T>
linalg::GemmArgs<T> AsProduct(const ConvolutionArgs<T>& a) {
  const ConvolutionShape& s = a.shape;
  linalg::GemmArgs<T> g;
  g.m = s.batch * s.out[0] * s.out[1];
  g.n = s.out_channels;
  g.k = s.channels;
  g.a = a.input;
  g.a_stride = s.channels;
  g.b = a.filter;
  g.b_stride = s.out_channels;
  g.packed_b = a.packed_filter;
  g.c = a.output;
  g.c_stride = s.out_channels;
  g.epilogue = a.epilogue;
  g.epilogue.residual_stride = s.out_channels;
  return g;
}

template <typename T>
Plan PlanFor(const ConvolutionArgs<T>& a) {
  constexpr int64_t kBytes = sizeof(T);
  constexpr int64_t kBandBytes = 192 << 10;   // of input that one unit works on
  constexpr int64_t kPanelBytes = 256 << 10;  // of filter that it goes through at a time
  constexpr int64_t kUnits = 8;               // wanted, so that threads finish together
  constexpr int64_t kUnit = 1 << 20;          // multiply-adds worth a thread
  const ConvolutionShape& s = a.shape;
  Plan p;
  p.copy_input = !ReadsInPlace(s);
  p.pack_filter = a.packed_filter == nullptr;
  if (p.pack_filter) p.filter_bytes = Align(PackedFilterElements<T>(s) * kBytes);

  p.padded_width = (s.out[1] - 1) * s.stride[1] + Span(s, 1);
  const int64_t row_bytes = std::max<int64_t>(1, (p.copy_input ? p.padded_width : s.in[1]) * s.channels * kBytes);
  const int64_t rows = std::max<int64_t>(1, (kBandBytes / row_bytes - Span(s, 0)) / s.stride[0] + 1);
  p.bands = CeilDiv(s.out[0], std::min(rows, s.out[0]));
  p.band = CeilDiv(s.out[0], p.bands);
  p.bands = CeilDiv(s.out[0], p.band);

  const int64_t n = s.group_out_channels();
  p.columns = n;
  p.column_units = 1;
  if (s.batch * p.bands * s.groups < kUnits) {
    p.shared_copy = p.copy_input;
    const int64_t wanted = CeilDiv(kUnits, s.batch * p.bands * s.groups);
    const int64_t worth = std::max<int64_t>(1, p.band * s.out[1] * s.depth() * n / kUnit);
    p.columns = CeilDiv(CeilDiv(n, std::min(wanted, worth)), kPanelColumns<T>) * kPanelColumns<T>;
    p.columns = std::min(p.columns, n);
    p.column_units = CeilDiv(n, p.columns);
  }
  const int64_t panel_bytes = s.depth() * kPanelColumns<T> * kBytes;
  p.panel_group = std::max<int64_t>(1, kPanelBytes / panel_bytes) * kPanelColumns<T>;

  if (p.shared_copy) p.shared_bytes = Align(RowsUnder(s, s.out[0]) * row_bytes);
  if (p.copy_input && !p.shared_copy) p.band_bytes = Align(RowsUnder(s, p.band) * row_bytes);
  if (s.nchw) p.row_bytes = Align(s.out[1] * std::min(p.columns, p.panel_group) * kBytes);
  p.worker_bytes = p.band_bytes + 2 * p.row_bytes;
  return p;
}

// Rows [begin, end) of image `n`, spread, padded and with the channels last.
// Row 0 is the first one under output row 0.
template <typename T>
void CopyRows(const ConvolutionArgs<T>& a, const Plan& p, int64_t n, int64_t begin, int64_t end, T* out) {
  const ConvolutionShape& s = a.shape;
  const int64_t c = s.channels, pitch = p.padded_width * c;
  const int64_t plane = s.in[0] * s.in[1];
  const int64_t spread = s.input_dilation[1];
  // Columns of the input that are seen: w with 0 <= pad + w * spread < padded_width.
  const int64_t first = s.pad[1] >= 0 ? 0 : CeilDiv(-s.pad[1], spread);
  const int64_t room = p.padded_width - s.pad[1];
  const int64_t last = room <= 0 ? first : std::max(first, std::min(s.in[1], CeilDiv(room, spread)));
  const int64_t left = std::min(p.padded_width, std::max<int64_t>(0, s.pad[1] + first * spread));
  for (int64_t r = begin; r < end; ++r, out += pitch) {
    const int64_t at = r - s.pad[0];
    const int64_t y = at / s.input_dilation[0];
    if (at < 0 || at % s.input_dilation[0] != 0 || y >= s.in[0] || last == first) {
      std::fill(out, out + pitch, T(0));
      continue;
    }
    const T* row = s.nchw ? a.input + n * c * plane + y * s.in[1] : a.input + (n * plane + y * s.in[1]) * c;
    const int64_t seen = last - first;
    if (spread == 1) {
      std::fill(out, out + left * c, T(0));
      if (s.nchw) {
        linalg::TransposedCopy(row + first, plane, c, seen, out + left * c, c);
      } else {
        std::memcpy(out + left * c, row + first * c, static_cast<size_t>(seen * c) * sizeof(T));
      }
      std::fill(out + (left + seen) * c, out + pitch, T(0));
      continue;
    }
    std::fill(out, out + pitch, T(0));
    for (int64_t w = 0; w < seen; ++w) {
      T* to = out + (left + w * spread) * c;
      for (int64_t i = 0; i < c; ++i) to[i] = s.nchw ? row[i * plane + first + w] : row[(first + w) * c + i];
    }
  }
}

// Terms that a narrow image's tiles work on at a time: their part of a panel of
// the filter stays in the first cache while the rows take their turns.
constexpr int64_t kTermBlock = 256;
constexpr int64_t kNarrow = 10;  // pixels in a row of such an image

// Row y of `rows` that go through the same part of b: those after the first find it
// near, and share the asking for the `elements` that come behind it, if any.
template <typename T>
void AskAhead(linalg::TileArgs<T>& t, const T* next, int64_t elements, int64_t y, int64_t rows) {
  t.b_near = y > 0;
  const bool asks = t.b_near && next != nullptr;
  t.next_elements = asks ? elements / (rows - 1) : 0;
  t.next_b = asks ? next + (y - 1) * t.next_elements : nullptr;
}

// Rows [y0, y1) of one panel of columns, where `t` is set up for row y0 and rows
// are `in_step` and `out_step` elements apart.
template <typename T>
void NarrowPanel(linalg::TileArgs<T> t, int64_t rows, int64_t in_step, int64_t out_step) {
  const linalg::TileArgs<T> first = t;
  t.outer_count = t.inner_count = 1;
  for (int64_t outer = 0; outer < first.outer_count; ++outer) {
    for (int64_t inner = 0; inner < first.inner_count; ++inner) {
      for (int64_t k = 0; k < first.run_length; k += kTermBlock) {
        t.run_length = std::min(kTermBlock, first.run_length - k);
        t.accumulate = outer + inner + k > 0;
        const bool last =
            outer + 1 == first.outer_count && inner + 1 == first.inner_count && k + t.run_length == first.run_length;
        t.epilogue = last ? first.epilogue : linalg::Epilogue<T>();
        for (int64_t y = 0; y < rows; ++y) {
          t.a = first.a + y * in_step + outer * first.outer_stride + inner * first.inner_stride + k;
          t.c = first.c + y * out_step;
          if (t.epilogue.residual != nullptr) t.epilogue.residual = first.epilogue.residual + y * out_step;
          const int64_t block = t.run_length * t.b_row_stride;
          AskAhead(t, t.b + block, block, y, rows);
          linalg::RunTile(t);
        }
        t.b += t.run_length * t.b_row_stride;
      }
    }
  }
}

// A unit of work: output rows [y0, y1) of image n, columns [c0, c1) of a group.
// `in` is the row under y0, rows `pitch` elements apart.
template <typename T>
void Unit(const ConvolutionArgs<T>& a, const Plan& p, const T* packed, int64_t n, int64_t group, int64_t y0, int64_t y1,
          int64_t c0, int64_t c1, const T* in, int64_t pitch, T* row_scratch) {
  const ConvolutionShape& s = a.shape;
  const int64_t gc = s.group_channels(), gn = s.group_out_channels(), depth = s.depth();
  const int64_t pixels = s.out[0] * s.out[1];
  linalg::TileArgs<T> t;
  t.a_row_stride = s.stride[1] * s.channels;
  t.outer_count = s.window[0];
  t.outer_stride = s.dilation[0] * pitch;
  t.inner_count = s.window[1];
  t.inner_stride = s.dilation[1] * s.channels;
  t.run_length = gc;
  if (s.groups == 1 && s.dilation[1] == 1) {
    t.run_length *= t.inner_count;  // the taps of a row lie side by side
    t.inner_count = 1;
  }
  t.b_row_stride = kPanelColumns<T>;
  t.b_panel_stride = depth * kPanelColumns<T>;
  t.rows = s.out[1];
  t.accumulate = false;
  t.epilogue = a.epilogue;
  const T* group_filter = packed + group * linalg::PackedElements<T>(depth, gn);
  for (int64_t c = c0; c < c1; c += p.panel_group) {
    t.columns = std::min(p.panel_group, c1 - c);
    t.b = group_filter + c * depth;
    const int64_t channel = group * gn + c;
    if (a.epilogue.bias != nullptr) t.epilogue.bias = a.epilogue.bias + channel;
    if (!s.nchw && s.out[1] <= kNarrow && y1 - y0 > 1 && depth > kTermBlock) {
      const int64_t columns = t.columns;
      for (int64_t j = 0; j < columns; j += kPanelColumns<T>) {
        linalg::TileArgs<T> panel = t;
        const int64_t at = (n * pixels + y0 * s.out[1]) * s.out_channels + channel + j;
        panel.columns = std::min(kPanelColumns<T>, columns - j);
        panel.a = in + group * gc;
        panel.b = t.b + j * depth;
        panel.c = a.output + at;
        panel.c_row_stride = s.out_channels;
        if (a.epilogue.bias != nullptr) panel.epilogue.bias = t.epilogue.bias + j;
        if (a.epilogue.residual != nullptr) {
          panel.epilogue.residual = a.epilogue.residual + at;
          panel.epilogue.residual_stride = s.out_channels;
        }
        NarrowPanel(panel, y1 - y0, s.stride[0] * pitch, s.out[1] * s.out_channels);
      }
      continue;
    }
    // One panel at a time is a long one.
    const T* const next = t.columns <= kPanelColumns<T> && c + t.columns < gn ? t.b + t.b_panel_stride : nullptr;
    for (int64_t y = y0; y < y1; ++y) {
      AskAhead(t, next, t.b_panel_stride, y - y0, y1 - y0);
      t.a = in + (y - y0) * s.stride[0] * pitch + group * gc;
      if (!s.nchw) {
        const int64_t at = (n * pixels + y * s.out[1]) * s.out_channels + channel;
        t.c = a.output + at;
        t.c_row_stride = s.out_channels;
        if (a.epilogue.residual != nullptr) {
          t.epilogue.residual = a.epilogue.residual + at;
          t.epilogue.residual_stride = s.out_channels;
        }
        linalg::RunTile(t);
        continue;
      }
      const int64_t at = (n * s.out_channels + channel) * pixels + y * s.out[1];
      T* residual = row_scratch + p.row_bytes / static_cast<int64_t>(sizeof(T));
      t.c = row_scratch;
      t.c_row_stride = t.columns;
      if (a.epilogue.residual != nullptr) {
        linalg::TransposedCopy(a.epilogue.residual + at, pixels, t.columns, s.out[1], residual, t.columns);
        t.epilogue.residual = residual;
        t.epilogue.residual_stride = t.columns;
      }
      linalg::RunTile(t);
      linalg::TransposedCopy(static_cast<const T*>(row_scratch), t.columns, s.out[1], t.columns, a.output + at, pixels);
    }
  }
}

}  // namespace

ConvolutionShape ConvolutionShapeOf(const WindowAttrs& attrs, std::span<const int64_t> input,
                                    std::span<const int64_t> filter, std::span<const int64_t> output) {
  ConvolutionShape s;
  s.nchw = attrs.nchw;
  s.batch = input[0];
  s.channels = input[static_cast<size_t>(attrs.channels())];
  s.out_channels = filter[3];
  s.groups = filter[2] == 0 ? 1 : std::max<int64_t>(1, s.channels / filter[2]);
  for (int i = 0; i < 2; ++i) {
    s.in[i] = input[static_cast<size_t>(attrs.spatial(i))];
    s.out[i] = output[static_cast<size_t>(attrs.spatial(i))];
    s.window[i] = filter[static_cast<size_t>(i)];
    s.stride[i] = attrs.stride[i];
    s.dilation[i] = attrs.dilation[i];
    s.pad[i] = PadBefore(attrs, i, s.in[i], s.window[i], s.out[i]);
  }
  return s;
}

Status ConvolvedShape(InferenceContext& ctx, const WindowAttrs& attrs, const SymShape& image, const SymShape& filter,
                      SymShape* result) {
  for (const SymShape* shape : {&image, &filter}) {
    if (shape->has_rank && shape->rank() != 4) {
      return InvalidArgument(Cat("expected an image and a filter of rank 4, found rank ", shape->rank()));
    }
  }
  const SymShape x = image.has_rank ? image : SymShape::Unknown(4);
  const SymShape w = filter.has_rank ? filter : SymShape::Unknown(4);
  const Dim channels = x.dims[static_cast<size_t>(attrs.channels())];
  if (channels.known() && w.dims[2].known()) {
    const int64_t c = channels.value(), gc = w.dims[2].value();
    if (gc == 0 ? c != 0 : c % gc != 0) {
      return InvalidArgument(Cat("the input has ", c, " channels, which the filter's ", gc, " do not divide"));
    }
    if (gc > 0 && c > 0 && w.dims[3].known() && w.dims[3].value() % (c / gc) != 0) {
      return InvalidArgument(
          Cat("expected output channels that ", c / gc, " groups divide, found ", w.dims[3].value()));
    }
  }
  Dim out[2];
  for (int i = 0; i < 2; ++i) {
    MR_RETURN_IF_ERROR(WindowExtent(ctx, attrs, i, x.dims[static_cast<size_t>(attrs.spatial(i))],
                                    w.dims[static_cast<size_t>(i)], &out[i]));
  }
  *result = ImageShape(attrs, x.dims[0], out[0], out[1], w.dims[3]);
  return OkStatus();
}

template <typename T>
int64_t PackedFilterElements(const ConvolutionShape& shape) {
  return shape.groups * linalg::PackedElements<T>(shape.depth(), shape.group_out_channels());
}

template <typename T>
void PackFilter(const ConvolutionShape& shape, const T* filter, T* packed) {
  const int64_t gn = shape.group_out_channels(), depth = shape.depth();
  for (int64_t g = 0; g < shape.groups; ++g) {
    linalg::PackPanels(filter + g * gn, shape.out_channels, false, depth, gn, 0, CeilDiv(gn, kPanelColumns<T>),
                       packed + g * linalg::PackedElements<T>(depth, gn));
  }
}

Status CheckConvolution(const ConvolutionShape& s) {
  if (s.empty()) return OkStatus();
  double elements = static_cast<double>(s.channels);
  for (int i = 0; i < 2; ++i) {
    elements *= static_cast<double>(s.out[i]) * static_cast<double>(s.stride[i]) +
                static_cast<double>(s.window[i]) * static_cast<double>(s.dilation[i]);
  }
  if (elements < 0x1p44) return OkStatus();
  return ResourceExhausted(Cat("the padded input would have about ", elements, " elements"));
}

template <typename T>
size_t ConvolutionScratchBytes(const ConvolutionArgs<T>& args, int workers) {
  if (args.shape.empty()) return 0;
  if (args.shape.product()) return linalg::GemmScratchBytes(AsProduct(args), workers);
  const Plan p = PlanFor(args);
  return static_cast<size_t>(p.filter_bytes + p.shared_bytes + p.worker_bytes * workers);
}

template <typename T>
void RunConvolution(KernelContext& ctx, const ConvolutionArgs<T>& a, void* scratch) {
  const ConvolutionShape& s = a.shape;
  if (s.empty()) return;
  if (s.product()) return linalg::Gemm(ctx, AsProduct(a), scratch);
  const Plan p = PlanFor(a);
  char* const base = static_cast<char*>(scratch);
  const T* packed = a.packed_filter;
  if (p.pack_filter) {
    PackFilter(s, a.filter, reinterpret_cast<T*>(base));
    packed = reinterpret_cast<const T*>(base);
  }
  T* const shared = reinterpret_cast<T*>(base + p.filter_bytes);
  char* const worker_base = base + p.filter_bytes + p.shared_bytes;
  const int64_t pitch = (p.copy_input ? p.padded_width : s.in[1]) * s.channels;

  const int64_t per_image = s.groups * p.bands * p.column_units;
  // Units [begin, end) of all images.
  const auto body = [&](int64_t first_image, int64_t begin, int64_t end, int worker) {
    T* const band = reinterpret_cast<T*>(worker_base + p.worker_bytes * worker);
    T* const row_scratch = reinterpret_cast<T*>(worker_base + p.worker_bytes * worker + p.band_bytes);
    int64_t copied = -1;
    for (int64_t u = begin; u < end; ++u) {
      const int64_t n = first_image + u / per_image;
      const int64_t band_index = u % per_image / (s.groups * p.column_units);
      const int64_t group = u / p.column_units % s.groups, column_unit = u % p.column_units;
      const int64_t y0 = band_index * p.band, y1 = std::min(s.out[0], y0 + p.band);
      const T* in = nullptr;
      if (p.shared_copy) {
        in = shared + y0 * s.stride[0] * pitch;
      } else if (p.copy_input) {
        if (const int64_t key = n * p.bands + band_index; copied != key) {
          CopyRows(a, p, n, y0 * s.stride[0], y0 * s.stride[0] + RowsUnder(s, y1 - y0), band);
          copied = key;
        }
        in = band;
      } else {
        in = a.input + ((n * s.in[0] + y0 * s.stride[0] - s.pad[0]) * s.in[1] - s.pad[1]) * s.channels;
      }
      const int64_t c0 = column_unit * p.columns;
      Unit(a, p, packed, n, group, y0, y1, c0, std::min(s.group_out_channels(), c0 + p.columns), in, pitch,
           row_scratch);
    }
  };
  if (!p.shared_copy) {
    ctx.ParallelFor(s.batch * per_image, 1,
                    [&](int64_t begin, int64_t end, int worker) { body(0, begin, end, worker); });
    return;
  }
  const int64_t rows = RowsUnder(s, s.out[0]);
  for (int64_t n = 0; n < s.batch; ++n) {
    ctx.ParallelFor(rows, BlockFor(static_cast<double>(pitch) * 0.5),
                    [&](int64_t begin, int64_t end, int) { CopyRows(a, p, n, begin, end, shared + begin * pitch); });
    ctx.ParallelFor(per_image, 1, [&](int64_t begin, int64_t end, int worker) { body(n, begin, end, worker); });
  }
}

#define MR_INSTANTIATE(T)                                                     \
  template int64_t PackedFilterElements<T>(const ConvolutionShape&);          \
  template void PackFilter<T>(const ConvolutionShape&, const T*, T*);         \
  template size_t ConvolutionScratchBytes<T>(const ConvolutionArgs<T>&, int); \
  template void RunConvolution<T>(KernelContext&, const ConvolutionArgs<T>&, void*);
MR_INSTANTIATE(float)
MR_INSTANTIATE(double)
#undef MR_INSTANTIATE

}  // namespace millrace::nn
