/* reload_test LIBRARY N [KILOBYTES]: a host that loads the library, uses it and closes
 * it, N times over: each time it works, and the process does not grow. What it made
 * of the library and kept stays good: closing it takes nothing away. */
#include "millrace/tests/runtime/c_api_check.h"
#include "millrace/tests/runtime/guest/library.h"
#include "millrace/tests/runtime/guest/process.h"

static void Cycle(const char* file, int i) {
  Library library;
  CHECK(LoadLibrary(file, i % 2 == 0 ? RTLD_NOW | RTLD_LOCAL : RTLD_LAZY | RTLD_LOCAL, &library));
  if (failures != 0) return;
  CHECK(Twice(&library, (float)i) == (float)(2 * i));
  TF_Status* kept = library.TF_NewStatus();
  CHECK(dlclose(library.handle) == 0);
  library.TF_DeleteStatus(kept);
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const int cycles = atoi(argv[2]);
  const long most = argc > 3 ? atol(argv[3]) : 1024;
  for (int i = 0; i < cycles / 4 && failures == 0; ++i) Cycle(argv[1], i);
  const int threads = CountThreads();
  const long before = ResidentKilobytes();
  for (int i = 0; i < cycles && failures == 0; ++i) Cycle(argv[1], i);
  const long after = ResidentKilobytes();
  printf("%d cycles: %ld kB before, %ld kB after\n", cycles, before, after);
  CHECK(after - before < most);
  CHECK(CountThreads() == threads);
  return Report();
}
