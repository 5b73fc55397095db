/* Classifies images with a frozen network, from C: load a graph, feed it, run it,
 * read the results.
 *
 *   cc -std=c11 classify.c -o classify -I PREFIX/include -L PREFIX/lib -l:libtensorflow.so.2
 *   classify ../data/digits_cnn.pb ../data/digits_images.npy ../data/digits_labels.npy */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "millrace/runtime/c_api/c_api.h"

static void Fail(const char* what, const char* why) {
  fprintf(stderr, "classify: %s: %s\n", what, why);
  exit(1);
}
static void Check(TF_Status* status, const char* what) {
  if (TF_GetCode(status) != TF_OK) Fail(what, TF_Message(status));
}

/* The whole file; the caller frees it. */
static char* ReadFile(const char* path, size_t* length) {
  FILE* file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) Fail(path, "cannot be read");
  const long size = ftell(file);
  char* bytes = size < 0 ? NULL : malloc((size_t)size + 1);
  rewind(file);
  if (bytes == NULL || fread(bytes, 1, (size_t)size, file) != (size_t)size) Fail(path, "cannot be read");
  fclose(file);
  bytes[size] = 0;
  *length = (size_t)size;
  return bytes;
}

static void FreeFile(void* data, size_t length, void* file) {
  (void)data;
  (void)length;
  free(file);
}

/* The array of a version 1 .npy file as a tensor over the file's bytes: nothing is
 * copied, and deleting the tensor frees them. */
static TF_Tensor* ReadNpy(const char* path, TF_DataType dtype) {
  size_t length = 0;
  char* file = ReadFile(path, &length);
  if (length < 10 || memcmp(file, "\x93NUMPY\x01", 7) != 0) Fail(path, "is no .npy file of version 1");
  const size_t header = 10 + (unsigned char)file[8] + 256u * (unsigned char)file[9];
  const char* at = strstr(file + 10, "'shape': (");
  if (header > length || at == NULL) Fail(path, "has no shape");
  int64_t dims[8];
  int rank = 0;
  for (at += strlen("'shape': ("); *at != ')' && rank < 8; ++rank) {
    char* end;
    dims[rank] = strtoll(at, &end, 10);
    at = end + strspn(end, ", ");
  }
  TF_Tensor* tensor = TF_NewTensor(dtype, dims, rank, file + header, length - header, FreeFile, file);
  if (tensor == NULL) Fail(path, "is shorter than its shape says");
  return tensor;
}

static TF_Output Find(TF_Graph* graph, const char* name) {
  const TF_Output output = {TF_GraphOperationByName(graph, name), 0};
  if (output.oper == NULL) Fail(name, "is no node of the graph");
  return output;
}

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: classify GRAPH IMAGES.npy LABELS.npy\n");
    return 2;
  }
  TF_Status* status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  size_t length = 0;
  char* bytes = ReadFile(argv[1], &length);
  TF_Buffer* def = TF_NewBufferFromString(bytes, length);
  free(bytes);
  TF_GraphImportGraphDef(graph, def, NULL, status);
  Check(status, argv[1]);
  TF_DeleteBuffer(def);

  TF_Session* session = TF_NewSession(graph, NULL, status);
  Check(status, "session");
  TF_Tensor* images = ReadNpy(argv[2], TF_FLOAT);
  TF_Tensor* labels = ReadNpy(argv[3], TF_INT64);

  const TF_Output feeds[] = {Find(graph, "images")};
  const TF_Output fetches[] = {Find(graph, "digit"), Find(graph, "probabilities")};
  TF_Tensor* results[2];
  TF_SessionRun(session, NULL, feeds, &images, 1, fetches, results, 2, NULL, 0, NULL, status);
  Check(status, "run");

  const int64_t* digits = TF_TensorData(results[0]);
  const int64_t* expected = TF_TensorData(labels);
  const float* probabilities = TF_TensorData(results[1]);
  const int64_t count = TF_TensorElementCount(results[0]);
  if (count != TF_TensorElementCount(labels)) Fail(argv[3], "has not as many labels as there are images");
  int64_t right = 0;
  for (int64_t i = 0; i < count; ++i) right += digits[i] == expected[i];
  printf("%lld of %lld images right; the first is a %lld with probability %.3f\n", (long long)right, (long long)count,
         (long long)digits[0], (double)probabilities[digits[0]]);

  TF_DeleteTensor(results[0]);
  TF_DeleteTensor(results[1]);
  TF_DeleteTensor(images);
  TF_DeleteTensor(labels);
  TF_DeleteSession(session, status);
  TF_DeleteGraph(graph);
  TF_DeleteStatus(status);
  return 0;
}
