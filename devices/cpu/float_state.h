// FlushDenormals: the floating-point state in which Millrace computes.
#pragma once

#include <immintrin.h>

namespace millrace {

// While it lives, this thread rounds to nearest, takes denormals as zero (in
// and out), and masks every floating-point exception; then the state is again
// what it was, so that nothing leaks into a host. Code that a host gave us runs
// outside of it.
class FlushDenormals {
 public:
  FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(kState); }
  ~FlushDenormals() { _mm_setcsr(saved_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  // All exceptions masked (0x1f80), flush to zero (0x8000), denormals are zero
  // (0x0040).
  static constexpr unsigned kState = 0x1f80 | 0x8000 | 0x0040;
  const unsigned saved_;
};

}  // namespace millrace
