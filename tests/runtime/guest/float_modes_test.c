/* A host may compute in any floating-point mode: results have the same bits in all
 * of them, nothing traps, and the host finds its mode as it left it. */
#define _GNU_SOURCE
#include <fenv.h>
#include <immintrin.h>

#include "millrace/tests/runtime/guest/network.h"

/* The whole way: a graph, a session, a run. */
static TF_Tensor* Result(TF_Tensor* x, unsigned char threads, TF_Status* status) {
  const Network n = NewNetwork(status);
  TF_Session* session = NewSession(n.graph, threads, status);
  TF_Tensor* y = RunNetwork(session, &n, x, status);
  CHECK_OK(status);
  TF_DeleteSession(session, status);
  TF_DeleteGraph(n.graph);
  return y;
}

static unsigned short X87Control(void) {
  unsigned short word;
  __asm__ volatile("fnstcw %0" : "=m"(word));
  return word;
}

int main(void) {
  TF_Status* status = TF_NewStatus();
  /* Ordinary numbers, and denormal ones. */
  const float scales[2] = {1.0f, 1e-39f};
  const unsigned modes[] = {
      0x1f80 | 0x6000, /* rounds to zero */
      0x1f80 | 0x4000, /* upward */
      0x1f80 | 0x2000, /* downward */
      0x1f80 | 0x8040, /* denormals are zero, in and out */
      0x0000,          /* every exception traps */
      0x4000,          /* and rounds upward */
  };
  for (int s = 0; s < 2; ++s) {
    TF_Tensor* x = Matrix(scales[s]);
    for (unsigned char threads = 1; threads <= 2; ++threads) {
      TF_Tensor* expected = Result(x, threads, status);
      for (size_t i = 0; i < sizeof modes / sizeof modes[0]; ++i) {
        const unsigned before = _mm_getcsr();
        const unsigned short x87 = X87Control();
        _mm_setcsr(modes[i]);
        TF_Tensor* found = Result(x, threads, status);
        const unsigned after = _mm_getcsr();
        _mm_setcsr(before);
        if (after != modes[i]) printf("mode %x: found %x after the call\n", modes[i], after);
        CHECK(after == modes[i]);
        CHECK(X87Control() == x87);
        if (!SameBits(expected, found)) printf("mode %x, scale %g: other bits\n", modes[i], (double)scales[s]);
        CHECK(SameBits(expected, found));
        TF_DeleteTensor(found);
      }
      TF_DeleteTensor(expected);
    }
    TF_DeleteTensor(x);
  }
  TF_DeleteStatus(status);
  return Report();
}
