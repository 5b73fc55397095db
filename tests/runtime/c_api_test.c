/* The C interface, used as a host written in C uses it. Prints what failed and
 * exits with 1; links the shared library. */
#include "millrace/tests/runtime/c_api_check.h"

static TF_Tensor* Scalar(float value) {
  TF_Tensor* t = TF_AllocateTensor(TF_FLOAT, NULL, 0, sizeof(float));
  memcpy(TF_TensorData(t), &value, sizeof(float));
  return t;
}
static float ValueOf(const TF_Tensor* t) { return t == NULL ? -1.0f : *(const float*)TF_TensorData(t); }

static int released = 0;
static void Release(void* data, size_t length, void* arg) {
  (void)length;
  (void)data;
  *(int*)arg += 1;
}

/* The wire form of: Placeholder a, Placeholder b, AddV2 c = a + b, all float. */
static size_t AppendNode(unsigned char* out, const char* name, const char* op, const char* type_attr, const char* in0,
                         const char* in1) {
  unsigned char body[256];
  size_t n = 0;
  const char* fields[4] = {name, op, in0, in1};
  const unsigned char keys[4] = {0x0a, 0x12, 0x1a, 0x1a};
  for (int i = 0; i < 4; ++i) {
    if (fields[i] == NULL) continue;
    const size_t len = strlen(fields[i]);
    body[n++] = keys[i];
    body[n++] = (unsigned char)len;
    memcpy(body + n, fields[i], len);
    n += len;
  }
  const size_t len = strlen(type_attr);
  body[n++] = 0x2a; /* attr entry: key, value { type: 1 } */
  body[n++] = (unsigned char)(2 + len + 4);
  body[n++] = 0x0a;
  body[n++] = (unsigned char)len;
  memcpy(body + n, type_attr, len);
  n += len;
  body[n++] = 0x12;
  body[n++] = 2;
  body[n++] = 0x30;
  body[n++] = 1;
  out[0] = 0x0a;
  out[1] = (unsigned char)n;
  memcpy(out + 2, body, n);
  return n + 2;
}

int main(void) {
  TF_Status* status = TF_NewStatus();
  /* As hosts read it. */
  int major = 0, minor = 0, patch = -1;
  CHECK(sscanf(TF_Version(), "%d.%d.%d-millrace.", &major, &minor, &patch) == 3);
  CHECK(major == 2 && minor >= 4);
  CHECK(strstr(TF_Version(), "-millrace.") != NULL);
  CHECK(TF_GetCode(status) == TF_OK);
  TF_SetStatus(status, TF_ABORTED, "why");
  CHECK(TF_GetCode(status) == TF_ABORTED);
  CHECK(strcmp(TF_Message(status), "why") == 0);
  CHECK(TF_DataTypeSize(TF_COMPLEX128) == 16);
  CHECK(TF_DataTypeSize(TF_STRING) == 0);

  /* Tensors. */
  const int64_t dims[2] = {2, 3};
  TF_Tensor* t = TF_AllocateTensor(TF_INT32, dims, 2, 24);
  CHECK(t != NULL && TF_NumDims(t) == 2 && TF_Dim(t, 1) == 3 && TF_TensorByteSize(t) == 24);
  CHECK(TF_TensorElementCount(t) == 6 && TF_TensorType(t) == TF_INT32);
  CHECK((uintptr_t)TF_TensorData(t) % 64 == 0);
  TF_DeleteTensor(t);
  CHECK(TF_AllocateTensor(TF_INT32, dims, 2, 23) == NULL);
  const int64_t huge[2] = {INT64_MAX, 8};
  CHECK(TF_AllocateTensor(TF_INT32, huge, 2, 64) == NULL);
  float memory[6] = {0};
  t = TF_NewTensor(TF_FLOAT, dims, 2, memory, sizeof memory, Release, &released);
  CHECK(t != NULL && TF_TensorData(t) == memory && released == 0);
  TF_DeleteTensor(t);
  CHECK(released == 1);
  CHECK(TF_NewTensor(TF_FLOAT, dims, 2, memory, 4, Release, &released) == NULL);
  CHECK(released == 2);
  TF_DeleteTensor(NULL);

  /* Buffers. */
  TF_Buffer* buffer = TF_NewBufferFromString("abc", 3);
  CHECK(TF_GetBuffer(buffer).length == 3 && memcmp(buffer->data, "abc", 3) == 0);
  TF_DeleteBuffer(buffer);

  /* A graph and a session. */
  unsigned char bytes[512];
  size_t n = AppendNode(bytes, "a", "Placeholder", "dtype", NULL, NULL);
  n += AppendNode(bytes + n, "b", "Placeholder", "dtype", NULL, NULL);
  n += AppendNode(bytes + n, "c", "AddV2", "T", "a", "b");
  buffer = TF_NewBufferFromString(bytes, n);
  TF_Graph* graph = TF_NewGraph();
  TF_ImportGraphDefOptions* import = TF_NewImportGraphDefOptions();
  TF_GraphImportGraphDef(graph, buffer, import, status);
  CHECK(TF_GetCode(status) == TF_OK);
  TF_GraphImportGraphDef(graph, buffer, import, status); /* the names are taken */
  CHECK(TF_GetCode(status) != TF_OK);
  TF_ImportGraphDefOptionsSetPrefix(import, "again");
  TF_GraphImportGraphDef(graph, buffer, import, status);
  CHECK(TF_GetCode(status) == TF_OK);
  CHECK(TF_GraphOperationByName(graph, "again/c") != NULL);
  /* What an import may bring is bounded by the environment (proto/LIMITS.md). */
  setenv("MILLRACE_LIMITS", "file_nodes=2", 1);
  TF_ImportGraphDefOptionsSetPrefix(import, "bounded");
  TF_GraphImportGraphDef(graph, buffer, import, status);
  CHECK(TF_GetCode(status) == TF_RESOURCE_EXHAUSTED && strstr(TF_Message(status), "file_nodes is 2") != NULL);
  unsetenv("MILLRACE_LIMITS");
  TF_DeleteImportGraphDefOptions(import);
  TF_DeleteBuffer(buffer);
  TF_Buffer garbage = {"\xff\xff\xff", 3, NULL};
  TF_GraphImportGraphDef(graph, &garbage, NULL, status);
  CHECK(TF_GetCode(status) != TF_OK);

  CHECK(TF_GraphOperationByName(graph, "nowhere") == NULL);
  TF_Operation* c = TF_GraphOperationByName(graph, "c");
  CHECK(c != NULL && strcmp(TF_OperationName(c), "c") == 0 && strcmp(TF_OperationOpType(c), "AddV2") == 0);
  CHECK(TF_OperationNumOutputs(c) == 1);
  size_t pos = 0;
  int count = 0;
  while (TF_GraphNextOperation(graph, &pos) != NULL) ++count;
  CHECK(count == 6);

  TF_SessionOptions* options = TF_NewSessionOptions();
  const unsigned char one_thread[4] = {0x10, 1, 0x28, 1};
  TF_SetConfig(options, one_thread, 4, status);
  CHECK(TF_GetCode(status) == TF_OK);
  TF_SetConfig(options, "\x10", 1, status);
  CHECK(TF_GetCode(status) != TF_OK);
  TF_Session* session = TF_NewSession(graph, options, status);
  CHECK(TF_GetCode(status) == TF_OK && session != NULL);
  TF_DeleteSessionOptions(options);

  const TF_Output feeds[2] = {{TF_GraphOperationByName(graph, "a"), 0}, {TF_GraphOperationByName(graph, "b"), 0}};
  const TF_Output fetches[3] = {{c, 0}, feeds[0], {c, 0}};
  TF_Tensor* values[2] = {Scalar(2), Scalar(3)};
  for (int i = 0; i < 3; ++i) {
    TF_Tensor* out[3] = {NULL, NULL, NULL};
    TF_SessionRun(session, NULL, feeds, values, 2, fetches, out, 3, NULL, 0, NULL, status);
    CHECK(TF_GetCode(status) == TF_OK);
    CHECK(ValueOf(out[0]) == 5 && ValueOf(out[1]) == 2 && ValueOf(out[2]) == 5);
    CHECK(out[1] != values[0] && TF_TensorData(out[1]) != TF_TensorData(values[0]));
    for (int k = 0; k < 3; ++k) TF_DeleteTensor(out[k]);
    TF_SessionRun(session, NULL, feeds, values, 2, fetches, out, 1, NULL, 0, NULL, status);
    CHECK(TF_GetCode(status) == TF_OK && ValueOf(out[0]) == 5);
    TF_DeleteTensor(out[0]);
  }
  TF_Buffer* metadata = TF_NewBuffer();
  const unsigned char trace[2] = {0x08, 3};
  TF_Buffer run_options = {trace, 2, NULL};
  TF_Tensor* out = NULL;
  TF_SessionRun(session, &run_options, feeds, values, 2, fetches, &out, 1, NULL, 0, metadata, status);
  CHECK(TF_GetCode(status) == TF_OK && metadata->length > 0);
  TF_DeleteTensor(out);
  TF_DeleteBuffer(metadata);

  /* Bad calls. */
  TF_SessionRun(session, NULL, feeds, values, 1, fetches, &out, 1, NULL, 0, NULL, status);
  CHECK(TF_GetCode(status) == TF_INVALID_ARGUMENT && out == NULL && strstr(TF_Message(status), "b:0") != NULL);
  const TF_Output bad = {c, 7};
  TF_SessionRun(session, NULL, feeds, values, 2, &bad, &out, 1, NULL, 0, NULL, status);
  CHECK(TF_GetCode(status) == TF_OUT_OF_RANGE && out == NULL);
  const int64_t three = 3;
  TF_Tensor* wrong[2] = {values[0], TF_AllocateTensor(TF_INT32, &three, 1, 12)};
  memset(TF_TensorData(wrong[1]), 0, 12);
  TF_SessionRun(session, NULL, feeds, wrong, 2, fetches, &out, 1, NULL, 0, NULL, status);
  CHECK(TF_GetCode(status) == TF_INVALID_ARGUMENT && out == NULL);
  TF_DeleteTensor(wrong[1]);

  /* The graph may go first. */
  TF_DeleteGraph(graph);
  TF_SessionRun(session, NULL, feeds, values, 2, fetches, &out, 1, NULL, 0, NULL, status);
  CHECK(TF_GetCode(status) == TF_OK && ValueOf(out) == 5);
  TF_DeleteTensor(out);
  TF_CloseSession(session, status);
  CHECK(TF_GetCode(status) == TF_OK);
  TF_SessionRun(session, NULL, feeds, values, 2, fetches, &out, 1, NULL, 0, NULL, status);
  CHECK(TF_GetCode(status) == TF_FAILED_PRECONDITION && out == NULL);
  TF_DeleteSession(session, status);
  CHECK(TF_GetCode(status) == TF_OK);
  TF_DeleteTensor(values[0]);
  TF_DeleteTensor(values[1]);
  TF_DeleteStatus(status);
  return Report();
}
