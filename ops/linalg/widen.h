// 16-bit floating-point tensors compute in float: conversions of whole ranges.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <type_traits>

#include "millrace/ops/kernel/compute_type.h"
#include "millrace/proto/value/half.h"

namespace millrace::linalg {

using millrace::ComputeType;
template <typename T>
inline constexpr bool kWidened = !std::is_same_v<T, ComputeType<T>>;

inline void Widen(const Half* in, int64_t count, float* out) {
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i))));
  }
  for (; i < count; ++i) out[i] = static_cast<float>(in[i]);
}
inline void Widen(const BFloat16* in, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(in[i]);
}
inline void Narrow(const float* in, int64_t count, Half* out) {
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(in + i), _MM_FROUND_TO_NEAREST_INT));
  }
  for (; i < count; ++i) out[i] = Half(in[i]);
}
inline void Narrow(const float* in, int64_t count, BFloat16* out) {
  for (int64_t i = 0; i < count; ++i) out[i] = BFloat16(in[i]);
}

}  // namespace millrace::linalg
