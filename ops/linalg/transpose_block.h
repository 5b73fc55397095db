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

// dst[j, i] = src[i, j] for i < rows, j < columns; strides count elements. They do
// not overlap.
template <typename T>
void TransposedCopy(const T* src, int64_t src_stride, int64_t rows, int64_t columns, T* dst, int64_t dst_stride) {
  if constexpr (sizeof(T) == sizeof(float)) {
    constexpr int64_t kBlock = 8;
    if (rows >= kBlock && columns >= kBlock) {
      // The last block of a row or column begins early: it writes some elements again.
      for (int64_t i = 0; i < rows; i += kBlock) {
        const int64_t row = i + kBlock <= rows ? i : rows - kBlock;
        for (int64_t j = 0; j < columns; j += kBlock) {
          const int64_t column = j + kBlock <= columns ? j : columns - kBlock;
          transpose_internal::Block8(reinterpret_cast<const float*>(src + row * src_stride + column), src_stride,
                                     reinterpret_cast<float*>(dst + column * dst_stride + row), dst_stride);
        }
      }
      return;
    }
  }
  for (int64_t j = 0; j < columns; ++j) {
    for (int64_t i = 0; i < rows; ++i) dst[j * dst_stride + i] = src[i * src_stride + j];
  }
}

}  // namespace millrace::linalg
