#include "millrace/ops/linalg/gemm.h"

#include <algorithm>
#include <cstring>

#include "millrace/ops/kernel/isa.h"
#include "millrace/ops/kernel/units.h"
#include "millrace/ops/linalg/transpose_block.h"

namespace millrace::linalg {

const TileKernels& Tiles() { return ActiveIsa() == Isa::kAvx512 ? avx512::kTileKernels : avx2::kTileKernels; }

namespace {

constexpr size_t kCacheLine = 64;
size_t Align(size_t bytes) { return (bytes + kCacheLine - 1) / kCacheLine * kCacheLine; }

// How a product is cut. It depends on the shapes alone, and the bits of the
// result depend on nothing of it.
struct Blocking {
  bool pack_a = false;
  bool pack_a_by_unit = false;  // units of the same rows follow each other: a worker packs those when it comes to them
  bool pack_b = false;
  bool pack_b_by_unit = false;  // each part where it is used, as it is used once
  int64_t a_stride = 0;         // of packed a
  // Units of work: so many down and across. Those across begin at multiples of
  // column_step, a multiple of the panels' width.
  int64_t rows = 1, columns = 1, column_step = 0;
  bool rows_inside = false;  // units one below the other follow each other
  int64_t k_block = 0;
  size_t a_bytes = 0, b_bytes = 0;            // for all workers
  size_t unit_a_bytes = 0, unit_b_bytes = 0;  // for each
  size_t unit_bytes() const { return unit_b_bytes + unit_a_bytes + (pack_a_by_unit ? kCacheLine : 0); }
};

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

// Sets the units. They are enough for some threads to finish together, yet worth
// a thread each.
template <typename T>
void CutUnits(const GemmArgs<T>& g, Blocking& s) {
  if (g.m == 0 || g.n == 0) return;
  constexpr int64_t kBytes = sizeof(T);
  constexpr int64_t kRowBlock = 112;  // eight strips of the tallest tile
  constexpr int64_t kLeastRows = 24;  // fewer, and a tile waits for b
  constexpr int64_t kSecondCacheBytes = 512 << 10;
  constexpr int64_t kBringing = 8;  // multiply-adds that take as long as bringing an element of b
  const int64_t b_bytes = g.k * g.n * kBytes;
  const int64_t wanted = UnitsFor(static_cast<double>(g.m + kBringing) * static_cast<double>(g.k * g.n) / 32);
  const int64_t wide = 4 * kPanelColumns<T>;
  if (g.packed_b != nullptr || s.b_bytes > 0) {
    s.column_step = g.m > 2 ? kPanelColumns<T> : wide;  // one or two rows go through several panels at once
  } else {
    s.column_step = s.pack_b_by_unit ? wide : 8 * wide;  // b as it is, some pages at a time
  }
  if (wanted == 1 && g.m <= kRowBlock && g.n <= s.column_step) return;
  const int64_t steps = CeilDiv(g.n, s.column_step);
  s.rows = CeilDiv(g.m, kRowBlock);
  if (s.rows > 2) s.rows = CeilDiv(s.rows, 4) * 4;
  if (b_bytes <= kSecondCacheBytes) {
    // b stays in the second cache. The parts of a come in order, so that each
    // core goes on with rows that it made.
    s.columns = CeilDiv(wanted, s.rows);
  } else {
    // The larger operand is gone through once; the smaller one again and again.
    s.columns = std::max(CeilDiv(wanted, s.rows), CeilDiv(b_bytes, kSecondCacheBytes / 2));
    s.rows_inside = g.n > g.m;
  }
  s.columns = std::min(s.columns, steps);
  // One unit more than the others have would be waited for.
  if (s.rows == 1 && s.columns < wanted && s.columns % 2 == 1 && g.m >= 2 * kLeastRows) s.rows = 2;
  if (s.pack_b_by_unit) {
    s.rows = 1;
    s.columns = steps;
  }
}

template <typename T>
Blocking BlockingFor(const GemmArgs<T>& g) {
  constexpr int64_t kBytes = sizeof(T);
  constexpr int64_t kTallRows = 28;   // from here on packing b pays for itself
  constexpr int64_t kOnceRows = 112;  // up to here b is packed where it is used
  constexpr int64_t kCacheBytes = 1 << 16;
  Blocking s;
  // Rows a multiple of a page apart fall into one set of the first cache.
  s.pack_a = g.a_transposed || (g.m > 8 && g.n > kPanelColumns<T> && g.a_stride * kBytes % 4096 == 0);
  s.a_stride = g.a_stride;
  if (s.pack_a) {
    s.a_stride = (g.k + 15) / 16 * 16 + 16;
  }
  const bool large_b = g.k * g.n * kBytes > kCacheBytes;
  s.pack_b = g.packed_b == nullptr && (g.b_transposed || (g.m > kTallRows && large_b));
  s.pack_b_by_unit = s.pack_b && g.m <= kOnceRows;
  if (s.pack_b && !s.pack_b_by_unit) s.b_bytes = Align(static_cast<size_t>(PackedElements<T>(g.k, g.n) * kBytes));
  CutUnits(g, s);
  if (s.pack_a) {
    s.pack_a_by_unit = s.rows > 1 && !s.rows_inside;
    size_t& bytes = s.pack_a_by_unit ? s.unit_a_bytes : s.a_bytes;
    bytes = Align(static_cast<size_t>((s.pack_a_by_unit ? CeilDiv(g.m, s.rows) : g.m) * s.a_stride * kBytes));
  }
  s.k_block = g.k;
  if (g.packed_b == nullptr && !s.pack_b && large_b) {
    s.k_block = 32;  // b as it is: some of its rows at a time, so that it is read in order
  } else if (g.k > 384) {
    s.k_block = CeilDiv(g.k, CeilDiv(g.k, 256));
  }
  if (s.pack_b_by_unit) {
    s.unit_b_bytes = Align(static_cast<size_t>(PackedElements<T>(s.k_block, std::min(g.n, s.column_step)) * kBytes));
  }
  return s;
}

template <typename T>
void PackRows(const GemmArgs<T>& g, const Blocking& s, int64_t begin, int64_t end, T* packed) {
  if (g.a_transposed) {
    TransposedCopy(g.a + begin, g.a_stride, g.k, end - begin, packed, s.a_stride);
    return;
  }
  for (int64_t i = begin; i < end; ++i, packed += s.a_stride) {
    std::memcpy(packed, g.a + i * g.a_stride, static_cast<size_t>(g.k) * sizeof(T));
  }
}

// One unit: rows [r0, r1), columns [c0, c1), c0 at the start of a panel. `a` is row
// r0, `unit_scratch` has s.unit_b_bytes.
template <typename T>
void Unit(const GemmArgs<T>& g, const Blocking& s, const T* a, const T* packed_b, int64_t r0, int64_t r1, int64_t c0,
          int64_t c1, T* unit_scratch) {
  const bool first_rows = r0 == 0;
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
    t.a = a + k;
    t.run_length = k1 - k;
    if (packed_b != nullptr) {
      t.b = packed_b + c0 * g.k + k * kPanelColumns<T>;
      t.b_row_stride = kPanelColumns<T>;
      t.b_panel_stride = g.k * kPanelColumns<T>;
      if (first_rows) {  // those below find it in a nearer cache; behind the last part comes nothing else to ask for
        t.next_b = k1 < g.k ? t.b + (k1 - k) * kPanelColumns<T> : c1 < g.n ? packed_b + c1 * g.k : t.b;
        t.next_elements = (k1 - k) * kPanelColumns<T>;
      }
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
  if constexpr (sizeof(T) == sizeof(float)) {
    if (g.late == LateActivation::kNone) return;
    const LateFn fn = LateFunction();
    if (t.columns == t.c_row_stride) return fn(g.late, t.c, t.rows * t.columns);
    for (int64_t i = 0; i < t.rows; ++i) fn(g.late, t.c + i * t.c_row_stride, t.columns);
  }
}

// What a worker keeps from unit to unit.
struct Worker {
  int64_t packed_rows;  // the part of a in its scratch
};

// Calls `parallel(total, block, body)` for each phase.
template <typename T, typename Parallel>
void Run(const GemmArgs<T>& args, void* scratch, int workers, const Parallel& parallel) {
  const GemmArgs<T> g = Normalised(args);
  if (g.m == 0 || g.n == 0) return;
  const Blocking s = BlockingFor(g);
  const T* a = g.a;
  const T* packed_b = g.packed_b;
  const double cycles_per_element = 1.0;
  if (s.a_bytes > 0) {
    T* packed = static_cast<T*>(scratch);
    parallel(g.m, BlockFor(cycles_per_element * static_cast<double>(g.k)),
             [&](int64_t begin, int64_t end, int) { PackRows(g, s, begin, end, packed + begin * s.a_stride); });
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
  char* const unit_scratch = static_cast<char*>(scratch) + s.a_bytes + s.b_bytes;
  if (s.rows * s.columns == 1) return Unit(g, s, a, packed_b, 0, g.m, 0, g.n, reinterpret_cast<T*>(unit_scratch));
  // A worker's scratch: parts of b, of a, and which part of a that is.
  const auto scratch_of = [&](int worker) { return unit_scratch + s.unit_bytes() * static_cast<size_t>(worker); };
  const auto state_of = [&](int worker) {
    return reinterpret_cast<Worker*>(scratch_of(worker) + s.unit_b_bytes + s.unit_a_bytes);
  };
  for (int w = 0; s.pack_a_by_unit && w < workers; ++w) *state_of(w) = {-1};
  const auto body = [&](int64_t begin, int64_t end, int worker) {
    T* const unit_b = reinterpret_cast<T*>(scratch_of(worker));
    T* const unit_a = reinterpret_cast<T*>(scratch_of(worker) + s.unit_b_bytes);
    const int64_t steps = CeilDiv(g.n, s.column_step);
    for (int64_t u = begin; u < end; ++u) {
      const int64_t r = s.rows_inside ? u % s.rows : u / s.columns, c = s.rows_inside ? u / s.rows : u % s.columns;
      const int64_t r0 = PartBegin(g.m, s.rows, r), r1 = PartBegin(g.m, s.rows, r + 1);
      const T* rows = a + r0 * s.a_stride;
      if (s.pack_a_by_unit) {
        if (int64_t& packed = state_of(worker)->packed_rows; packed != r) {
          PackRows(g, s, r0, r1, unit_a);
          packed = r;
        }
        rows = unit_a;
      }
      Unit(g, s, rows, packed_b, r0, r1, PartBegin(steps, s.columns, c) * s.column_step,
           std::min(g.n, PartBegin(steps, s.columns, c + 1) * s.column_step), unit_b);
    }
  };
  parallel(s.rows * s.columns, 1, body);
}

}  // namespace

template <typename T>
void PackPanels(const T* b, int64_t b_stride, bool b_transposed, int64_t k, int64_t n, int64_t begin, int64_t end,
                T* packed) {
  constexpr int64_t kWidth = kPanelColumns<T>;
  constexpr int64_t kTogether = 4;  // panels that are filled from one reading of rows
  const int64_t whole = b_transposed ? begin : std::max(begin, std::min(end, n / kWidth));
  for (int64_t p0 = begin; p0 < whole; p0 += kTogether) {
    const int64_t p1 = std::min(whole, p0 + kTogether);
    for (int64_t i = 0; i < k; ++i) {
      for (int64_t p = p0; p < p1; ++p) {
        std::memcpy(packed + (p * k + i) * kWidth, b + i * b_stride + p * kWidth, kWidth * sizeof(T));
      }
    }
  }
  for (int64_t p = whole; p < end; ++p) {
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
  return s.a_bytes + s.b_bytes + s.unit_bytes() * static_cast<size_t>(workers);
}

template <typename T>
void Gemm(KernelContext& ctx, const GemmArgs<T>& args, void* scratch) {
  Run(args, scratch, ctx.workers(),
      [&](int64_t total, int64_t block, auto&& body) { ctx.ParallelFor(total, block, body); });
}

template <typename T>
void GemmSerial(const GemmArgs<T>& args, void* scratch) {
  Run(args, scratch, 1, [](int64_t total, int64_t, auto&& body) { body(0, total, 0); });
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
