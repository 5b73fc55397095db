/* A process that forks: the child makes sessions of its own; one that the parent had
 * used with several threads says that those are gone; the parent goes on. */
#define _GNU_SOURCE
#include <sys/wait.h>
#include <unistd.h>

#include "millrace/tests/runtime/guest/network.h"

int main(void) {
  TF_Status* status = TF_NewStatus();
  const Network n = NewNetwork(status);
  TF_Tensor* x = Matrix(1);
  TF_Session* alone = NewSession(n.graph, 1, status);
  TF_Session* shared = NewSession(n.graph, 2, status);
  TF_Tensor* expected = RunNetwork(alone, &n, x, status);
  CHECK_OK(status);
  TF_Tensor* y = RunNetwork(shared, &n, x, status);
  CHECK(SameBits(expected, y));
  TF_DeleteTensor(y);
  fflush(stdout);

  const pid_t child = fork();
  if (child == 0) {
    alarm(60); /* a child that hangs is a failure */
    y = RunNetwork(shared, &n, x, status);
    CHECK_ERROR(status, TF_FAILED_PRECONDITION, "fork");
    CHECK(y == NULL);
    /* One thread is the caller's, which is here. */
    y = RunNetwork(alone, &n, x, status);
    CHECK_OK(status);
    CHECK(SameBits(expected, y));
    TF_DeleteTensor(y);
    TF_Session* own = NewSession(n.graph, 2, status);
    y = RunNetwork(own, &n, x, status);
    CHECK_OK(status);
    CHECK(SameBits(expected, y));
    TF_DeleteTensor(y);
    TF_DeleteSession(own, status);
    TF_DeleteSession(shared, status);
    TF_DeleteSession(alone, status);
    fflush(stdout);
    _exit(failures == 0 ? 0 : 1);
  }
  int ended = -1;
  CHECK(child > 0 && waitpid(child, &ended, 0) == child);
  CHECK(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);

  y = RunNetwork(shared, &n, x, status);
  CHECK_OK(status);
  CHECK(SameBits(expected, y));
  TF_DeleteTensor(y);
  TF_DeleteTensor(expected);
  TF_DeleteTensor(x);
  TF_DeleteSession(shared, status);
  TF_DeleteSession(alone, status);
  TF_DeleteGraph(n.graph);
  TF_DeleteStatus(status);
  return Report();
}
