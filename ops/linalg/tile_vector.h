// Vectors with masked ends for the files of tiles, which are compiled for each
// instruction set by itself. Everything is inlined and local to the file: nothing
// here may become a symbol that the linker could share between instruction sets.
#pragma once

#include <immintrin.h>

#include "millrace/ops/linalg/gemm_tile.h"

#ifndef MILLRACE_ISA
#define MILLRACE_ISA avx2
#endif
#ifdef __AVX512F__
#define MR_TILE_AVX512 1
#else
#define MR_TILE_AVX512 0
#endif

namespace millrace::linalg::MILLRACE_ISA {
namespace {

#define MR_INLINE inline __attribute__((always_inline))

constexpr int kVectorBytes = MR_TILE_AVX512 ? 64 : 32;

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

// In place. The order of the operands keeps a NaN, and -0 gives 0, as Maximum does.
template <typename T, int kCount>
MR_INLINE void Activate(V<T> (&x)[kCount], Activation activation, T alpha) {
  const V<T> zero = {}, six = zero + T(6);
  switch (activation) {
    case Activation::kNone:
      break;
    case Activation::kRelu:
#pragma clang loop unroll(full)
      for (int i = 0; i < kCount; ++i) x[i] = zero >= x[i] ? zero : x[i];
      break;
    case Activation::kRelu6:
#pragma clang loop unroll(full)
      for (int i = 0; i < kCount; ++i) {
        x[i] = zero >= x[i] ? zero : x[i];
        x[i] = six < x[i] ? six : x[i];
      }
      break;
    case Activation::kLeakyRelu:
#pragma clang loop unroll(full)
      for (int i = 0; i < kCount; ++i) x[i] = x[i] > zero ? x[i] : x[i] * alpha;
      break;
  }
}

}  // namespace
}  // namespace millrace::linalg::MILLRACE_ISA
