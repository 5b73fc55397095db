// TransposedCopy: for packing operands; a row of the source becomes a column.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace millrace::linalg {
namespace transpose_internal {

inline void Block8(const float* src, int64_t src_stride, float* dst, int64_t dst_stride) {
  __m256 r[8], s[8];
  for (int i = 0; i < 8; ++i) r[i] = _mm256_loadu_ps(src + i * src_stride);
  for (int i = 0; i < 8; i += 2) {
    s[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    s[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(s[i], s[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(s[i], s[i + 2], 0xee);
    r[i + 2] = _mm256_shuffle_ps(s[i + 1], s[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(s[i + 1], s[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    _mm256_storeu_ps(dst + i * dst_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
    _mm256_storeu_ps(dst + (i + 4) * dst_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
  }
}

}  // namespace transpose_internal

// dst[j, i] = src[i, j] for i < rows, j < columns; strides count elements.
template <typename T>
void TransposedCopy(const T* src, int64_t src_stride, int64_t rows, int64_t columns, T* dst, int64_t dst_stride) {
  constexpr int64_t kBlock = 8;
  for (int64_t i0 = 0; i0 < rows; i0 += kBlock) {
    const int64_t i1 = i0 + kBlock < rows ? i0 + kBlock : rows;
    int64_t j = 0;
    if constexpr (sizeof(T) == sizeof(float)) {
      if (i1 - i0 == kBlock) {
        for (; j + kBlock <= columns; j += kBlock) {
          transpose_internal::Block8(reinterpret_cast<const float*>(src + i0 * src_stride + j), src_stride,
                                     reinterpret_cast<float*>(dst + j * dst_stride + i0), dst_stride);
        }
      }
    }
    for (; j < columns; ++j) {
      for (int64_t i = i0; i < i1; ++i) dst[j * dst_stride + i] = src[i * src_stride + j];
    }
  }
}

}  // namespace millrace::linalg
