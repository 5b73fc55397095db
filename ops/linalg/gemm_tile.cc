// Compiled twice: for AVX2 and, with MILLRACE_ISA=avx512, for AVX-512. Nothing of
// the standard library may be instantiated here: the linker could hand its
// AVX-512 copy to other files.
#include "millrace/ops/linalg/gemm_tile.h"

#include "millrace/ops/linalg/tile_vector.h"

namespace millrace::linalg::MILLRACE_ISA {
namespace {

// 14 x 2 accumulators, two vectors of b and one broadcast fill the 32 registers of
// AVX-512; 6 x 2 the 16 of AVX2.
constexpr int kMaxRows = MR_TILE_AVX512 ? 14 : 6;
constexpr int64_t kLine = 64;
template <typename T>
constexpr int64_t kLineElements = kLine / static_cast<int64_t>(sizeof(T));

// Rows of b that are asked for ahead of their use. The first strip of a panel finds
// it in a far cache, where the processor's own prefetching comes too late.
constexpr int64_t kRowsAhead = 24;
// What a strip asks for instead, of what comes behind the panel: with each of its
// terms lines that are `apart`, each going on by `step`.
template <typename T>
struct Ahead {
  const T* at;
  int64_t step, apart;
};

// Where the rows of a lie, from the first: row i = m 2^p is m strides, scaled by 2^p
// in the address of the load itself. The compiler is kept from making an addition
// of each: the loop would have a third more instructions.
template <int kRows>
class RowOffsets {
 public:
  MR_INLINE explicit RowOffsets(int64_t stride) {
#pragma clang loop unroll(full)
    for (int m = 1; m < kRows; m += 2) {
      odd_[m / 2] = m * stride;
      asm("" : "+r"(odd_[m / 2]));
    }
  }
  template <typename T>
  MR_INLINE const T* At(const T* first, int i) const {
    if (i == 0) return first;
    const int scale = __builtin_ctz(static_cast<unsigned>(i));
    const int64_t bytes = odd_[(i >> scale) / 2] << scale;
    return reinterpret_cast<const T*>(reinterpret_cast<const char*>(first) + bytes);
  }

 private:
  int64_t odd_[(kRows + 1) / 2];
};

// kRows rows by kVectors vectors of columns. Where kMasked, the last vector has
// only the lanes of `mask`. Vectors past a panel's width lie in the next panel.
template <typename T, int kRows, int kVectors, bool kMasked, bool kAsks = false>
__attribute__((noinline)) void Micro(const TileArgs<T>& t, const T* a, const T* b, int64_t row, int64_t column,
                                     Mask mask, Ahead<T> ahead = {}) {
  constexpr int kLane = kLanes<T>;
  constexpr int kPerPanel = static_cast<int>(kPanelColumns<T>) / kLane;
  V<T> acc[kRows][kVectors];
  T* const c = t.c + row * t.c_row_stride + column;
  const auto masked = [](int j) { return kMasked && j == kVectors - 1; };
  if (t.accumulate) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kRows; ++i) {
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j) {
        const T* p = c + i * t.c_row_stride + j * kLane;
        acc[i][j] = masked(j) ? Load(p, mask) : Load(p);
      }
    }
  } else {
#pragma clang loop unroll(full)
    for (int i = 0; i < kRows; ++i) {
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j) acc[i][j] = V<T>{};
    }
  }
  const int64_t b_stride = t.b_row_stride, panel = t.b_panel_stride;
  const RowOffsets<kRows> rows(t.a_row_stride * static_cast<int64_t>(sizeof(T)));
  for (int64_t outer = 0; outer < t.outer_count; ++outer) {
    const T* run = a + outer * t.outer_stride;
    for (int64_t inner = 0; inner < t.inner_count; ++inner, run += t.inner_stride) {
#pragma clang loop unroll(disable)
      for (const T *x = run, *end = run + t.run_length; x != end; ++x, b += b_stride) {
        asm("" : "+r"(x));
        V<T> bv[kVectors];
#pragma clang loop unroll(full)
        for (int j = 0; j < kVectors; ++j) {
          const T* p = b + (j / kPerPanel) * panel + (j % kPerPanel) * kLane;
          bv[j] = masked(j) ? Load(p, mask) : Load(p);
          constexpr int kEvery = static_cast<int>(kLineElements<T>) / kLane;
          if (j % kEvery == 0)
            __builtin_prefetch(kAsks ? ahead.at + j / kEvery * ahead.apart : p + kRowsAhead * b_stride);
        }
        if (kAsks) ahead.at += ahead.step;
#pragma clang loop unroll(full)
        for (int i = 0; i < kRows; ++i) {
          const V<T> av = *rows.At(x, i) - V<T>{};
#pragma clang loop unroll(full)
          for (int j = 0; j < kVectors; ++j) acc[i][j] = __builtin_elementwise_fma(av, bv[j], acc[i][j]);
        }
      }
    }
  }
  const Epilogue<T>& e = t.epilogue;
  if (e.bias != nullptr) {
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j) {
      const T* p = e.bias + column + j * kLane;
      const V<T> bias = masked(j) ? Load(p, mask) : Load(p);
#pragma clang loop unroll(full)
      for (int i = 0; i < kRows; ++i) acc[i][j] += bias;
    }
  }
  if (e.residual != nullptr) {
    const T* residual = e.residual + row * e.residual_stride + column;
#pragma clang loop unroll(full)
    for (int i = 0; i < kRows; ++i) {
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j) {
        const T* p = residual + i * e.residual_stride + j * kLane;
        acc[i][j] += masked(j) ? Load(p, mask) : Load(p);
      }
    }
  }
  if (e.activation != Activation::kNone) {
#pragma clang loop unroll(full)
    for (int i = 0; i < kRows; ++i) Activate<T>(acc[i], e.activation, e.alpha);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < kRows; ++i) {
#pragma clang loop unroll(full)
    for (int j = 0; j < kVectors; ++j) {
      T* p = c + i * t.c_row_stride + j * kLane;
      if (masked(j)) {
        Store(p, acc[i][j], mask);
      } else {
        Store(p, acc[i][j]);
      }
    }
  }
}

template <typename T, int kVectors, bool kMasked, bool kAsks = false>
MR_INLINE void Rows(int64_t count, const TileArgs<T>& t, const T* a, const T* b, int64_t row, int64_t column, Mask mask,
                    Ahead<T> ahead = {}) {
#define MR_CASE(n)                                                                     \
  case n:                                                                              \
    if constexpr (n <= kMaxRows) {                                                     \
      return Micro<T, n, kVectors, kMasked, kAsks>(t, a, b, row, column, mask, ahead); \
    }                                                                                  \
    break;
  switch (count) {
    // clang-format off: it reads the cases as one expression.
    MR_CASE(1) MR_CASE(2) MR_CASE(3) MR_CASE(4) MR_CASE(5) MR_CASE(6) MR_CASE(7)
    MR_CASE(8) MR_CASE(9) MR_CASE(10) MR_CASE(11) MR_CASE(12) MR_CASE(13) MR_CASE(14)
    default: break;
    // clang-format on
  }
#undef MR_CASE
}

// What follows the panel of `column`, shared out among the `strips` that find this one in
// the first cache: the part of number `i`. Nothing is far where `at` is null.
template <typename T>
MR_INLINE Ahead<T> AheadOf(const TileArgs<T>& t, const T* b, int64_t column, int64_t i, int64_t strips) {
  constexpr int64_t kColumns = 2 * kLanes<T>, kParts = kPanelColumns<T> / kColumns;
  constexpr int64_t kLines = kColumns / kLineElements<T>;
  const int64_t terms = t.outer_count * t.inner_count * t.run_length;
  if (t.next_b == nullptr || terms == 0) return {};
  const bool last = column + kPanelColumns<T> >= t.columns;
  const T* const next = last ? t.next_b : b - column % kPanelColumns<T> + t.b_panel_stride;
  const int64_t elements = last ? t.next_elements : terms * kPanelColumns<T>;
  const int64_t part = column % kPanelColumns<T> / kColumns * strips + i;
  const int64_t apart = elements / (strips * kParts * kLines);
  return {next + part * kLines * apart, (apart + terms - 1) / terms, apart};
}

// Columns [column, column + vectors of them) of all rows, in strips of about
// equal height: a strip of few rows would not fill the multipliers' pipeline.
template <typename T, int kVectors, bool kMasked>
void Columns(const TileArgs<T>& t, int64_t column, Mask mask) {
  const T* b = t.b + (column / kPanelColumns<T>)*t.b_panel_stride + column % kPanelColumns<T>;
  const int64_t strips = (t.rows + kMaxRows - 1) / kMaxRows;
  const int64_t height = t.rows / strips, taller = t.rows % strips, first = t.b_near ? 0 : 1;
  int64_t row = 0;
  for (int64_t s = 0; s < strips; ++s) {
    const int64_t count = height + (s < taller ? 1 : 0);
    const T* const a = t.a + row * t.a_row_stride;
    if constexpr (kVectors == 2 && !kMasked) {
      if (const auto ahead = s < first ? Ahead<T>{} : AheadOf(t, b, column, s - first, strips - first);
          ahead.at != nullptr) {
        Rows<T, kVectors, kMasked, true>(count, t, a, b, row, column, mask, ahead);
        row += count;
        continue;
      }
    }
    Rows<T, kVectors, kMasked>(count, t, a, b, row, column, mask);
    row += count;
  }
}

template <typename T>
void Block(const TileArgs<T>& t) {
  if (t.rows <= 0) return;
  constexpr int64_t kLane = kLanes<T>;
  int64_t column = 0;
  // Few rows: more columns at once, or the chains of additions would be waited for.
  if (t.rows <= 2) {
    constexpr int kWide = 8;
    for (; column + kWide * kLane <= t.columns; column += kWide * kLane) {
      const T* b = t.b + (column / kPanelColumns<T>)*t.b_panel_stride;
      if (t.rows == 1) {
        Micro<T, 1, kWide, false>(t, t.a, b, 0, column, Mask{});
      } else if constexpr (MR_TILE_AVX512) {
        Micro<T, 2, kWide, false>(t, t.a, b, 0, column, Mask{});
      } else {
        Micro<T, 1, kWide, false>(t, t.a, b, 0, column, Mask{});
        Micro<T, 1, kWide, false>(t, t.a + t.a_row_stride, b, 1, column, Mask{});
      }
    }
  }
  for (; column + 2 * kLane <= t.columns; column += 2 * kLane) Columns<T, 2, false>(t, column, Mask{});
  const int64_t rest = t.columns - column;
  if (rest == 0) return;
  if (rest == kLane) {
    Columns<T, 1, false>(t, column, Mask{});
  } else if (rest < kLane) {
    Columns<T, 1, true>(t, column, Mask::First<T>(rest));
  } else {
    Columns<T, 2, true>(t, column, Mask::First<T>(rest - kLane));
  }
}

}  // namespace

extern const TileKernels kTileKernels;
const TileKernels kTileKernels = {Block<float>, Block<double>};

}  // namespace millrace::linalg::MILLRACE_ISA
