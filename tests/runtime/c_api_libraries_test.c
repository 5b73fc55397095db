/* c_api_libraries_test FOLDER: ops from the shared objects of user_ops/, which are
 * in FOLDER, through TF_LoadLibrary. */
#include "millrace/tests/runtime/c_api_scalars.h"

static const char* folder;

static TF_Library* Load(const char* file, TF_Status* status) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, file);
  return TF_LoadLibrary(path, status);
}

static int Has(TF_Buffer bytes, const char* text) {
  const size_t length = strlen(text);
  for (size_t i = 0; i + length <= bytes.length; ++i) {
    if (memcmp((const char*)bytes.data + i, text, length) == 0) return 1;
  }
  return 0;
}

static void Loads(TF_Status* status) {
  TF_Graph* before = TF_NewGraph();
  TF_Library* library = Load("libcube_ops_for_hosts.so", status);
  CHECK_OK(status);
  if (library == NULL) return;
  const TF_Buffer ops = TF_GetOpList(library);
  CHECK(Has(ops, "Cube") && !Has(ops, "MatMul"));
  /* Again: the same. */
  TF_Library* again = Load("libcube_ops_for_hosts.so", status);
  CHECK_OK(status);
  CHECK(TF_GetOpList(again).length == ops.length);
  TF_DeleteLibraryHandle(again);
  TF_DeleteLibraryHandle(library);

  TF_Graph* graph = TF_NewGraph();
  TF_Output x = Input(graph, "x", TF_FLOAT, status);
  TF_Output y = Node(graph, "Cube", "y", &x, 1, status);
  CHECK_OK(status);
  TF_Output dy = {NULL, 0};
  TF_AddGradients(graph, &y, 1, &x, 1, NULL, status, &dy);
  CHECK_OK(status);
  CHECK(Run(graph, x, 3, y, status) == 27);
  CHECK(Run(graph, x, 3, dy, status) == 27);

  /* Lists of all ops have it, and what was exported can be imported. */
  TF_Buffer* all = TF_GetAllOpList();
  CHECK(Has(*all, "Cube"));
  TF_DeleteBuffer(all);
  TF_Buffer* kernels = TF_GetRegisteredKernelsForOp("Cube", status);
  CHECK(kernels->length > 0);
  TF_DeleteBuffer(kernels);
  TF_Buffer* def = TF_NewBuffer();
  TF_GraphGetOpDef(graph, "Cube", def, status);
  CHECK_OK(status);
  TF_DeleteBuffer(def);
  def = TF_NewBuffer();
  TF_GraphToGraphDef(graph, def, status);
  TF_Graph* copy = TF_NewGraph();
  TF_GraphImportGraphDef(copy, def, NULL, status);
  CHECK_OK(status);

  /* A graph that was there before does not have it. */
  TF_GraphImportGraphDef(before, def, NULL, status);
  CHECK_ERROR(status, TF_NOT_FOUND, "Cube");
  TF_DeleteBuffer(def);
  TF_DeleteGraph(copy);
  TF_DeleteGraph(graph);
  TF_DeleteGraph(before);
}

static void Refuses(TF_Status* status) {
  CHECK(TF_LoadLibrary(NULL, status) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "shared object");
  CHECK(Load("no_such_file.so", status) == NULL);
  CHECK_ERROR(status, TF_NOT_FOUND, "no_such_file.so");
  CHECK(Load("libold_ops.so", status) == NULL);
  CHECK_ERROR(status, TF_FAILED_PRECONDITION, "millrace-ops-0");
  CHECK(Load("libmillrace_runtime.so", status) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "MILLRACE_OPS_LIBRARY");
  CHECK(Load("libfor_tensorflow.so", status) == NULL);
  CHECK_ERROR(status, TF_FAILED_PRECONDITION, "built for TensorFlow");
  /* Its gradient calls the builder, which it is not linked with. */
  CHECK(Load("libcube_ops.so", status) == NULL);
  CHECK_ERROR(status, TF_NOT_FOUND, "link it with libmillrace");
  /* The name is there, with another signature. */
  CHECK(Load("libscaled_cube_ops_for_hosts.so", status) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "op 'Cube' is defined twice");
  const TF_Buffer none = TF_GetOpList(NULL);
  CHECK(none.length == 0);
  TF_DeleteLibraryHandle(NULL);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  folder = argv[1];
  TF_Status* status = TF_NewStatus();
  Loads(status);
  Refuses(status);
  TF_DeleteStatus(status);
  return Report();
}
