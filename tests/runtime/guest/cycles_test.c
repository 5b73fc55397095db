/* cycles_test N [KILOBYTES]: a session made, run and closed N times leaves no memory,
 * threads or files behind; memory up to that limit. */
#include "millrace/tests/runtime/guest/network.h"
#include "millrace/tests/runtime/guest/process.h"

static int CountFiles(void) {
  int count = 0;
  DIR* files = opendir("/proc/self/fd");
  while (readdir(files) != NULL) ++count;
  closedir(files);
  return count;
}

static void Cycle(TF_Tensor* x, int i, TF_Status* status) {
  const Network n = NewNetwork(status);
  TF_Session* session = NewSession(n.graph, (unsigned char)(1 + i % 2), status);
  TF_Tensor* y = RunNetwork(session, &n, x, status);
  CHECK_OK(status);
  TF_DeleteTensor(y);
  if (i % 3 == 0) TF_DeleteGraph(n.graph); /* before its session, or after */
  if (i % 5 == 0) TF_CloseSession(session, status);
  TF_DeleteSession(session, status);
  if (i % 3 != 0) TF_DeleteGraph(n.graph);
}

int main(int argc, char** argv) {
  const int cycles = argc > 1 ? atoi(argv[1]) : 100;
  const long most = argc > 2 ? atol(argv[2]) : 1024;
  TF_Status* status = TF_NewStatus();
  const int64_t dims[2] = {1, kColumns};
  TF_Tensor* x = TF_AllocateTensor(TF_FLOAT, dims, 2, kColumns * sizeof(float));
  memset(TF_TensorData(x), 0, kColumns * sizeof(float));
  const int threads = CountThreads(), files = CountFiles();
  /* The allocator and lazily made tables settle first. */
  for (int i = 0; i < cycles / 4; ++i) Cycle(x, i, status);
  const long before = ResidentKilobytes();
  for (int i = 0; i < cycles; ++i) Cycle(x, i, status);
  const long after = ResidentKilobytes();
  printf("%d cycles: %ld kB before, %ld kB after\n", cycles, before, after);
  /* A hundred bytes a cycle would be seen with ten thousand of them; the rest is what
   * the allocator keeps at hand. */
  CHECK(after - before < most);
  CHECK(CountThreads() == threads && CountFiles() == files);
  TF_DeleteTensor(x);
  TF_DeleteStatus(status);
  return Report();
}
