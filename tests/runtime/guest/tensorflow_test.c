/* tensorflow_test LIBRARY: beside the real TensorFlow, whose library the environment
 * variable TENSORFLOW_LIBRARY names, in one process: each gives its answer, whichever
 * was there first. 'SKIPPED: why' without it. */
#include "millrace/tests/runtime/c_api_check.h"
#include "millrace/tests/runtime/guest/library.h"

int main(int argc, char** argv) {
  const char* const other = getenv("TENSORFLOW_LIBRARY");
  if (argc != 2) return 2;
  if (other == NULL) {
    printf("SKIPPED: TENSORFLOW_LIBRARY names no libtensorflow to stand beside\n");
    return 0;
  }
  Library ours, theirs;
  CHECK(LoadLibrary(other, RTLD_NOW | RTLD_GLOBAL, &theirs));
  CHECK(LoadLibrary(argv[1], RTLD_NOW | RTLD_GLOBAL, &ours));
  if (failures != 0) return Report();
  CHECK(ours.TF_NewGraph != theirs.TF_NewGraph);
  for (int i = 1; i < 4; ++i) {
    CHECK(Twice(&ours, (float)i) == (float)(2 * i));
    CHECK(Twice(&theirs, (float)i) == (float)(2 * i));
  }
  printf("TensorFlow %s and Millrace %s gave their answers\n", theirs.TF_Version(), ours.TF_Version());
  dlclose(ours.handle);
  CHECK(Twice(&theirs, 5) == 10);
  return Report();
}
