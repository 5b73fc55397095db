#include "millrace/ops/linalg/gemm.h"

#include <algorithm>
#include <cstring>

#include "millrace/ops/kernel/isa.h"
#include "millrace/ops/linalg/transpose_block.h"

namespace millrace::linalg {

const TileKernels& Tiles() { return ActiveIsa() == Isa::kAvx512 ? avx512::kTileKernels : avx2::kTileKernels; }

namespace {

// How a product is cut. It depends on the shapes alone, and the bits of the
// result depend on nothing of it.
struct Blocking {
  bool pack_a = false;
  bool pack_b = false;
  bool pack_b_by_unit = false;  // each part where it is used, as it is used once
  int64_t a_stride = 0;         // of packed a
  int64_t row_block = 0;        // rows of a unit of work
  int64_t column_block = 0;     // its columns, a multiple of the panels' width
  int64_t k_block = 0;
  size_t a_bytes = 0, b_bytes = 0, unit_bytes = 0;  // unit_bytes for each worker
};

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
size_t Align(size_t bytes) { return (bytes + 63) / 64 * 64; }

// Operands whose storage is the same either way count as not transposed.
template <typename T>
GemmArgs<T> Normalised(GemmArgs<T> g) {
  if (g.a_transposed && (g.k == 1 || (g.m == 1 && g.a_stride == 1))) {
    g.a_transposed = false;
    g.a_stride = g.k == 1 ? 1 : g.k;
  }
  if (g.b_transposed && g.n == 1) {
    g.b_transposed = false;
    g.b_stride = 1;
  }
  return g;
}

template <typename T>
Blocking BlockingFor(const GemmArgs<T>& g) {
  constexpr int64_t kBytes = sizeof(T);
  constexpr int64_t kTallRows = 28;   // from here on packing b pays for itself
  constexpr int64_t kRowBlock = 112;  // eight strips of the tallest tile
  constexpr int64_t kCacheBytes = 1 << 16;
  constexpr int64_t kUnit = 2 << 20;  // multiply-adds worth a thread
  Blocking s;
  // Rows a multiple of a page apart fall into one set of the first cache.
  s.pack_a = g.a_transposed || (g.m > 8 && g.n > kPanelColumns<T> && g.a_stride * kBytes % 4096 == 0);
  s.a_stride = g.a_stride;
  if (s.pack_a) {
    s.a_stride = (g.k + 15) / 16 * 16 + 16;
    s.a_bytes = Align(static_cast<size_t>(g.m * s.a_stride * kBytes));
  }
  const bool large_b = g.k * g.n * kBytes > kCacheBytes;
  s.pack_b = g.packed_b == nullptr && (g.b_transposed || (g.m > kTallRows && large_b));
  s.pack_b_by_unit = s.pack_b && g.m <= kRowBlock;
  if (s.pack_b && !s.pack_b_by_unit) s.b_bytes = Align(static_cast<size_t>(PackedElements<T>(g.k, g.n) * kBytes));

  s.row_block = CeilDiv(g.m, std::max<int64_t>(1, CeilDiv(g.m, kRowBlock)));
  const int64_t per_column = std::max<int64_t>(1, s.row_block * g.k);
  const int64_t wide = 4 * kPanelColumns<T>;
  s.column_block = std::min(g.n, CeilDiv(CeilDiv(kUnit, per_column), wide) * wide);
  if (s.pack_b_by_unit) s.column_block = std::min(s.column_block, wide);
  s.k_block = g.k;
  if (g.packed_b == nullptr && !s.pack_b && large_b) {
    s.k_block = 32;  // b as it is: some of its rows at a time, so that it is read in order
  } else if (g.k > 384) {
    s.k_block = CeilDiv(g.k, CeilDiv(g.k, 256));
  }
  if (s.pack_b_by_unit)
    s.unit_bytes = Align(static_cast<size_t>(PackedElements<T>(s.k_block, s.column_block) * kBytes));
  return s;
}

template <typename T>
void PackRows(const GemmArgs<T>& g, const Blocking& s, int64_t begin, int64_t end, T* packed) {
  if (g.a_transposed) {
    TransposedCopy(g.a + begin, g.a_stride, g.k, end - begin, packed + begin * s.a_stride, s.a_stride);
    return;
  }
  for (int64_t i = begin; i < end; ++i) {
    std::memcpy(packed + i * s.a_stride, g.a + i * g.a_stride, static_cast<size_t>(g.k) * sizeof(T));
  }
}

// One unit: rows [r0, r1), columns [c0, c1), c0 at the start of a panel.
// `unit_scratch` has s.unit_bytes.
template <typename T>
void Unit(const GemmArgs<T>& g, const Blocking& s, const T* a, const T* packed_b, int64_t r0, int64_t r1, int64_t c0,
          int64_t c1, T* unit_scratch) {
  TileArgs<T> t;
  t.a_row_stride = s.a_stride;
  t.outer_count = t.inner_count = 1;
  t.outer_stride = t.inner_stride = 0;
  t.c = g.c + r0 * g.c_stride + c0;
  t.c_row_stride = g.c_stride;
  t.rows = r1 - r0;
  t.columns = c1 - c0;
  int64_t k = 0;
  do {
    const int64_t k1 = std::min(g.k, k + s.k_block);
    t.a = a + r0 * s.a_stride + k;
    t.run_length = k1 - k;
    if (packed_b != nullptr) {
      t.b = packed_b + c0 * g.k + k * kPanelColumns<T>;
      t.b_row_stride = kPanelColumns<T>;
      t.b_panel_stride = g.k * kPanelColumns<T>;
    } else if (s.pack_b_by_unit) {
      const T* b = g.b + (g.b_transposed ? c0 * g.b_stride + k : k * g.b_stride + c0);
      PackPanels(b, g.b_stride, g.b_transposed, k1 - k, c1 - c0, 0, CeilDiv(c1 - c0, kPanelColumns<T>), unit_scratch);
      t.b = unit_scratch;
      t.b_row_stride = kPanelColumns<T>;
      t.b_panel_stride = (k1 - k) * kPanelColumns<T>;
    } else {
      t.b = g.b + k * g.b_stride + c0;
      t.b_row_stride = g.b_stride;
      t.b_panel_stride = kPanelColumns<T>;
    }
    t.accumulate = k > 0;
    if (k1 == g.k) {
      t.epilogue = g.epilogue;
      if (t.epilogue.bias != nullptr) t.epilogue.bias += c0;
      if (t.epilogue.residual != nullptr) t.epilogue.residual += r0 * t.epilogue.residual_stride + c0;
    }
    RunTile(t);
    k = k1;
  } while (k < g.k);
}

// Calls `parallel(total, block, body)` for each phase.
template <typename T, typename Parallel>
void Run(const GemmArgs<T>& args, void* scratch, const Parallel& parallel) {
  const GemmArgs<T> g = Normalised(args);
  if (g.m == 0 || g.n == 0) return;
  const Blocking s = BlockingFor(g);
  const T* a = g.a;
  const T* packed_b = g.packed_b;
  const double cycles_per_element = 1.0;
  if (s.pack_a) {
    T* packed = static_cast<T*>(scratch);
    parallel(g.m, BlockFor(cycles_per_element * static_cast<double>(g.k)),
             [&](int64_t begin, int64_t end, int) { PackRows(g, s, begin, end, packed); });
    a = packed;
  }
  if (s.b_bytes > 0) {
    T* packed = reinterpret_cast<T*>(static_cast<char*>(scratch) + s.a_bytes);
    parallel(CeilDiv(g.n, kPanelColumns<T>), BlockFor(cycles_per_element * static_cast<double>(g.k * kPanelColumns<T>)),
             [&](int64_t begin, int64_t end, int) {
               PackPanels(g.b, g.b_stride, g.b_transposed, g.k, g.n, begin, end, packed);
             });
    packed_b = packed;
  }
  const int64_t columns = CeilDiv(g.n, s.column_block);
  const int64_t rows = CeilDiv(g.m, s.row_block);
  char* const unit_scratch = static_cast<char*>(scratch) + s.a_bytes + s.b_bytes;
  if (rows * columns == 1) return Unit(g, s, a, packed_b, 0, g.m, 0, g.n, reinterpret_cast<T*>(unit_scratch));
  // The larger operand is gone through once; the smaller one again and again.
  const bool rows_inside = g.n > g.m;
  const auto body = [&](int64_t begin, int64_t end, int worker) {
    T* const mine = reinterpret_cast<T*>(unit_scratch + s.unit_bytes * static_cast<size_t>(worker));
    for (int64_t u = begin; u < end; ++u) {
      const int64_t r = (rows_inside ? u % rows : u / columns) * s.row_block;
      const int64_t c = (rows_inside ? u / rows : u % columns) * s.column_block;
      Unit(g, s, a, packed_b, r, std::min(g.m, r + s.row_block), c, std::min(g.n, c + s.column_block), mine);
    }
  };
  parallel(rows * columns, 1, body);
}

}  // namespace

template <typename T>
void PackPanels(const T* b, int64_t b_stride, bool b_transposed, int64_t k, int64_t n, int64_t begin, int64_t end,
                T* packed) {
  constexpr int64_t kWidth = kPanelColumns<T>;
  for (int64_t p = begin; p < end; ++p) {
    T* panel = packed + p * kWidth * k;
    const int64_t width = std::min(kWidth, n - p * kWidth);
    if (b_transposed) {
      TransposedCopy(b + p * kWidth * b_stride, b_stride, width, k, panel, kWidth);
    } else {
      for (int64_t i = 0; i < k; ++i) {
        std::memcpy(panel + i * kWidth, b + i * b_stride + p * kWidth, static_cast<size_t>(width) * sizeof(T));
      }
    }
    if (width == kWidth) continue;
    for (int64_t i = 0; i < k; ++i) std::fill(panel + i * kWidth + width, panel + (i + 1) * kWidth, T(0));
  }
}

template <typename T>
size_t GemmScratchBytes(const GemmArgs<T>& args, int workers) {
  const Blocking s = BlockingFor(Normalised(args));
  return s.a_bytes + s.b_bytes + s.unit_bytes * static_cast<size_t>(workers);
}

template <typename T>
void Gemm(KernelContext& ctx, const GemmArgs<T>& args, void* scratch) {
  Run(args, scratch, [&](int64_t total, int64_t block, auto&& body) { ctx.ParallelFor(total, block, body); });
}

template <typename T>
void GemmSerial(const GemmArgs<T>& args, void* scratch) {
  Run(args, scratch, [](int64_t total, int64_t, auto&& body) { body(0, total, 0); });
}

#define MR_INSTANTIATE(T)                                                                       \
  template void PackPanels<T>(const T*, int64_t, bool, int64_t, int64_t, int64_t, int64_t, T*); \
  template size_t GemmScratchBytes<T>(const GemmArgs<T>&, int);                                 \
  template void Gemm<T>(KernelContext&, const GemmArgs<T>&, void*);                             \
  template void GemmSerial<T>(const GemmArgs<T>&, void*);
MR_INSTANTIATE(float)
MR_INSTANTIATE(double)
#undef MR_INSTANTIATE

}  // namespace millrace::linalg
