// The floating-point states that Millrace computes in, whatever the host's is.
#pragma once

#include <immintrin.h>

namespace millrace {

// While it lives, this thread's control register is kState; then the state is again
// what it was, so that nothing leaks into a host.
template <unsigned kState>
class ScopedFloatState {
 public:
  ScopedFloatState() : saved_(_mm_getcsr()) { _mm_setcsr(kState); }
  ~ScopedFloatState() { _mm_setcsr(saved_); }
  ScopedFloatState(const ScopedFloatState&) = delete;
  ScopedFloatState& operator=(const ScopedFloatState&) = delete;

 private:
  const unsigned saved_;
};

// What a thread starts with: rounds to nearest, every exception masked (0x1f80). For
// all that is no kernel: graphs, shapes, compiling, code that a host gave us.
using DefaultFloatState = ScopedFloatState<0x1f80>;

// For kernels: the same, with denormals taken as zero, in and out (flush to zero
// 0x8000, denormals are zero 0x0040).
using FlushDenormals = ScopedFloatState<0x1f80 | 0x8000 | 0x0040>;

}  // namespace millrace
