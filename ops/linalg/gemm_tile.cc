// Compiled twice: for AVX2 and, with MILLRACE_ISA=avx512, for AVX-512. Nothing of
// the standard library may be instantiated here: the linker could hand its
// AVX-512 copy to other files.
#include "millrace/ops/linalg/gemm_tile.h"

#include <immintrin.h>

#ifndef MILLRACE_ISA
#define MILLRACE_ISA avx2
#define MR_TILE_AVX512 0
#else
#define MR_TILE_AVX512 1
#endif

namespace millrace::linalg::MILLRACE_ISA {
namespace {

#define MR_INLINE inline __attribute__((always_inline))

#if MR_TILE_AVX512
constexpr int kVectorBytes = 64;
// 14 x 2 accumulators, two vectors of b and one broadcast fill the 32 registers.
constexpr int kMaxRows = 14;
#else
constexpr int kVectorBytes = 32;
constexpr int kMaxRows = 6;
#endif

template <typename T>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float Type __attribute__((vector_size(kVectorBytes)));
};
template <>
struct VectorOf<double> {
  typedef double Type __attribute__((vector_size(kVectorBytes)));
};
template <typename T>
using V = typename VectorOf<T>::Type;
template <typename T>
constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));

template <typename T>
MR_INLINE V<T> Load(const T* p) {
  V<T> v;
  __builtin_memcpy(&v, p, sizeof(v));
  return v;
}
template <typename T>
MR_INLINE void Store(T* p, V<T> v) {
  __builtin_memcpy(p, &v, sizeof(v));
}

// The first lanes of a vector: loads give zero in the others, stores leave the
// memory behind them alone.
#if MR_TILE_AVX512
struct Mask {
  unsigned bits;
  template <typename T>
  static MR_INLINE Mask First(int64_t lanes) {
    return {(1u << lanes) - 1u};
  }
};
MR_INLINE V<float> Load(const float* p, Mask m) {
  return (V<float>)_mm512_maskz_loadu_ps(static_cast<__mmask16>(m.bits), p);
}
MR_INLINE V<double> Load(const double* p, Mask m) {
  return (V<double>)_mm512_maskz_loadu_pd(static_cast<__mmask8>(m.bits), p);
}
MR_INLINE void Store(float* p, V<float> v, Mask m) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>(m.bits), (__m512)v);
}
MR_INLINE void Store(double* p, V<double> v, Mask m) {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>(m.bits), (__m512d)v);
}
#else
alignas(32) constexpr int32_t kMaskTable[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
struct Mask {
  __m256i bits;
  template <typename T>
  static MR_INLINE Mask First(int64_t lanes) {
    const int64_t words = lanes * static_cast<int64_t>(sizeof(T) / 4);
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMaskTable + 8 - words))};
  }
};
MR_INLINE V<float> Load(const float* p, Mask m) { return (V<float>)_mm256_maskload_ps(p, m.bits); }
MR_INLINE V<double> Load(const double* p, Mask m) { return (V<double>)_mm256_maskload_pd(p, m.bits); }
MR_INLINE void Store(float* p, V<float> v, Mask m) { _mm256_maskstore_ps(p, m.bits, (__m256)v); }
MR_INLINE void Store(double* p, V<double> v, Mask m) { _mm256_maskstore_pd(p, m.bits, (__m256d)v); }
#endif

template <typename T>
MR_INLINE V<T> Activate(V<T> x, Activation activation, T alpha) {
  const V<T> zero = {};
  switch (activation) {
    case Activation::kNone: break;
    case Activation::kRelu: x = x < zero ? zero : x; break;
    case Activation::kRelu6: {
      const V<T> six = zero + T(6);
      x = x < zero ? zero : x;
      x = x > six ? six : x;
      break;
    }
    case Activation::kLeakyRelu: x = x > zero ? x : x * alpha; break;
  }
  return x;
}

// kRows rows by kVectors vectors of columns. Where kMasked, the last vector has
// only the lanes of `mask`. Vectors past a panel's width lie in the next panel.
template <typename T, int kRows, int kVectors, bool kMasked>
__attribute__((noinline)) void Micro(const TileArgs<T>& t, const T* a, const T* b, int64_t row, int64_t column,
                                     Mask mask) {
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
  const int64_t a_stride = t.a_row_stride, b_stride = t.b_row_stride, panel = t.b_panel_stride;
  for (int64_t outer = 0; outer < t.outer_count; ++outer) {
    const T* run = a + outer * t.outer_stride;
    for (int64_t inner = 0; inner < t.inner_count; ++inner, run += t.inner_stride) {
#pragma clang loop unroll(disable)
      for (int64_t k = 0; k < t.run_length; ++k, b += b_stride) {
        V<T> bv[kVectors];
#pragma clang loop unroll(full)
        for (int j = 0; j < kVectors; ++j) {
          const T* p = b + (j / kPerPanel) * panel + (j % kPerPanel) * kLane;
          bv[j] = masked(j) ? Load(p, mask) : Load(p);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < kRows; ++i) {
          const V<T> av = run[i * a_stride + k] - V<T>{};
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
    for (int i = 0; i < kRows; ++i) {
#pragma clang loop unroll(full)
      for (int j = 0; j < kVectors; ++j) acc[i][j] = Activate<T>(acc[i][j], e.activation, e.alpha);
    }
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

template <typename T, int kVectors, bool kMasked>
MR_INLINE void Rows(int64_t count, const TileArgs<T>& t, const T* a, const T* b, int64_t row, int64_t column,
                    Mask mask) {
#define MR_CASE(n)                                                              \
  case n:                                                                       \
    if constexpr (n <= kMaxRows) {                                              \
      return Micro<T, n, kVectors, kMasked>(t, a, b, row, column, mask);        \
    }                                                                           \
    break;
  switch (count) {
    MR_CASE(1) MR_CASE(2) MR_CASE(3) MR_CASE(4) MR_CASE(5) MR_CASE(6) MR_CASE(7)
    MR_CASE(8) MR_CASE(9) MR_CASE(10) MR_CASE(11) MR_CASE(12) MR_CASE(13) MR_CASE(14)
    default: break;
  }
#undef MR_CASE
}

// Columns [column, column + vectors of them) of all rows, in strips of about
// equal height: a strip of few rows would not fill the multipliers' pipeline.
template <typename T, int kVectors, bool kMasked>
void Columns(const TileArgs<T>& t, int64_t column, Mask mask) {
  const T* b = t.b + (column / kPanelColumns<T>)*t.b_panel_stride + column % kPanelColumns<T>;
  const int64_t strips = (t.rows + kMaxRows - 1) / kMaxRows;
  const int64_t height = t.rows / strips, taller = t.rows % strips;
  int64_t row = 0;
  for (int64_t s = 0; s < strips; ++s) {
    const int64_t count = height + (s < taller ? 1 : 0);
    Rows<T, kVectors, kMasked>(count, t, t.a + row * t.a_row_stride, b, row, column, mask);
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
