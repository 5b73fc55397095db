/* timeout_in_ms of serialized RunOptions: ends a run while it compiles and while its
 * kernels run; nothing of it is left for the next one. */
#include "millrace/tests/runtime/guest/network.h"

int main(void) {
  TF_Status* status = TF_NewStatus();
  const Network n = NewNetwork(status);
  /* A product of a million and more sums, which takes far longer than a millisecond. */
  TF_Tensor* x = Rows(3000, 1);
  const unsigned char one_millisecond[2] = {0x10, 1}, none[2] = {0x10, 0};
  const TF_Buffer short_time = {one_millisecond, 2, NULL}, any_time = {none, 2, NULL};
  for (unsigned char threads = 1; threads <= 2; ++threads) {
    TF_Session* session = NewSession(n.graph, threads, status);
    for (int i = 0; i < 3; ++i) {
      TF_Tensor* y = NULL;
      TF_SessionRun(session, &short_time, &n.x, &x, 1, &n.y, &y, 1, NULL, 0, NULL, status);
      CHECK_ERROR(status, TF_DEADLINE_EXCEEDED, "within 1 ms");
      CHECK(y == NULL);
      if (i != 1) continue;
      /* What follows finds it compiled. */
      TF_SessionRun(session, &any_time, &n.x, &x, 1, &n.y, &y, 1, NULL, 0, NULL, status);
      CHECK_OK(status);
      CHECK(y != NULL && TF_Dim(y, 1) == 3000);
      TF_DeleteTensor(y);
    }
    TF_DeleteSession(session, status);
  }
  TF_DeleteTensor(x);
  TF_DeleteGraph(n.graph);
  TF_DeleteStatus(status);
  return Report();
}
