/* Strings of the C interface, and string tensors through a session. */
#include "millrace/tests/runtime/c_api_check.h"

static const char kLong[] = "a string that is too long to lie in the element itself";

static void Forms(void) {
  TF_TString s;
  CHECK(sizeof s == 24);
  memset(&s, 0xff, sizeof s);
  TF_StringInit(&s);
  CHECK(TF_StringGetSize(&s) == 0 && TF_StringGetType(&s) == TF_TSTR_SMALL && TF_StringGetCapacity(&s) == 22);
  TF_StringCopy(&s, "twenty-two characters!", 22);
  CHECK(TF_StringGetType(&s) == TF_TSTR_SMALL && TF_StringGetSize(&s) == 22);
  CHECK(strcmp(TF_StringGetDataPointer(&s), "twenty-two characters!") == 0);
  CHECK(TF_StringGetDataPointer(&s) == (const char*)&s + 1);
  TF_StringCopy(&s, kLong, sizeof kLong - 1);
  CHECK(TF_StringGetType(&s) == TF_TSTR_LARGE && TF_StringGetSize(&s) == sizeof kLong - 1);
  CHECK(TF_StringGetCapacity(&s) >= sizeof kLong - 1);
  CHECK(strcmp(TF_StringGetDataPointer(&s), kLong) == 0);
  TF_StringCopy(&s, TF_StringGetDataPointer(&s) + 2, 6); /* a part of itself */
  CHECK(TF_StringGetSize(&s) == 6 && strcmp(TF_StringGetDataPointer(&s), "string") == 0);
  TF_StringAssignView(&s, kLong, 8);
  CHECK(TF_StringGetType(&s) == TF_TSTR_VIEW && TF_StringGetSize(&s) == 8 && TF_StringGetDataPointer(&s) == kLong);
  CHECK(TF_StringGetCapacity(&s) == 0);
  TF_StringDealloc(&s);
  CHECK(TF_StringGetSize(&s) == 0 && TF_StringGetType(&s) == TF_TSTR_SMALL);
  TF_StringDealloc(&s);
  TF_StringCopy(&s, "\0zero", 5);
  CHECK(TF_StringGetSize(&s) == 5 && memcmp(TF_StringGetDataPointer(&s), "\0zero", 5) == 0);

  /* An element with its bytes at a distance behind it. */
  struct {
    TF_TString s;
    char bytes[8];
  } apart;
  memset(&apart, 0, sizeof apart);
  memcpy(apart.bytes, "offset", 6);
  apart.s.u.offset.size = 6 << 2 | TF_TSTR_OFFSET;
  apart.s.u.offset.offset = (uint32_t)(apart.bytes - (char*)&apart.s);
  CHECK(TF_StringGetType(&apart.s) == TF_TSTR_OFFSET && TF_StringGetSize(&apart.s) == 6);
  CHECK(memcmp(TF_StringGetDataPointer(&apart.s), "offset", 6) == 0);
}

static void OldForm(TF_Status* status) {
  char bytes[512];
  CHECK(TF_StringEncodedSize(0) == 1 && TF_StringEncodedSize(127) == 128 && TF_StringEncodedSize(128) == 130);
  char text[200];
  memset(text, 'x', sizeof text);
  CHECK(TF_StringEncode(text, 200, bytes, sizeof bytes, status) == 202);
  CHECK_OK(status);
  const char* out = NULL;
  size_t size = 0;
  CHECK(TF_StringDecode(bytes, 202, &out, &size, status) == 202 && size == 200 && out == bytes + 2);
  CHECK_OK(status);
  CHECK(TF_StringEncode(text, 200, bytes, 201, status) == 0);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "202");
  CHECK(TF_StringDecode(bytes, 201, &out, &size, status) == 0);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "expected a length");
  memset(bytes, 0xff, 16);
  CHECK(TF_StringDecode(bytes, 16, &out, &size, status) == 0);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "expected a length");
}

static void Elements(TF_Tensor* tensor, const char* const* texts, int count) {
  TF_TString* elements = (TF_TString*)TF_TensorData(tensor);
  CHECK(TF_TensorType(tensor) == TF_STRING && TF_TensorElementCount(tensor) == count);
  CHECK(TF_TensorByteSize(tensor) == (size_t)count * sizeof(TF_TString));
  for (int i = 0; i < count; ++i) {
    CHECK(TF_StringGetSize(&elements[i]) == strlen(texts[i]));
    CHECK(strcmp(TF_StringGetDataPointer(&elements[i]), texts[i]) == 0);
  }
}

static void Tensors(TF_Status* status) {
  const int64_t three = 3;
  const char* texts[3] = {"short", "", kLong};
  TF_Tensor* t = TF_AllocateTensor(TF_STRING, &three, 1, 3 * sizeof(TF_TString));
  CHECK(t != NULL);
  if (t == NULL) return;
  TF_TString* elements = (TF_TString*)TF_TensorData(t);
  for (int i = 0; i < 3; ++i) {
    CHECK(TF_StringGetSize(&elements[i]) == 0);
    TF_StringCopy(&elements[i], texts[i], strlen(texts[i]));
  }
  CHECK(TF_AllocateTensor(TF_STRING, &three, 1, 3 * sizeof(TF_TString) - 1) == NULL);

  /* A constant of the tensor, and what is fed passed on. */
  TF_Graph* graph = TF_NewGraph();
  TF_OperationDescription* desc = TF_NewOperation(graph, "Const", "constant");
  TF_SetAttrType(desc, "dtype", TF_STRING);
  TF_SetAttrTensor(desc, "value", t, status);
  CHECK_OK(status);
  const TF_Output constant = {TF_FinishOperation(desc, status), 0};
  CHECK_OK(status);
  TF_Tensor* back = NULL;
  TF_OperationGetAttrTensor(constant.oper, "value", &back, status);
  CHECK_OK(status);
  Elements(back, texts, 3);
  TF_DeleteTensor(back);

  desc = TF_NewOperation(graph, "Placeholder", "fed");
  TF_SetAttrType(desc, "dtype", TF_STRING);
  const TF_Output fed = {TF_FinishOperation(desc, status), 0};
  desc = TF_NewOperation(graph, "Identity", "passed");
  TF_AddInput(desc, fed);
  const TF_Output passed = {TF_FinishOperation(desc, status), 0};
  CHECK_OK(status);

  TF_SessionOptions* options = TF_NewSessionOptions();
  TF_Session* session = TF_NewSession(graph, options, status);
  TF_DeleteSessionOptions(options);
  const TF_Output fetches[2] = {passed, constant};
  for (int i = 0; i < 2; ++i) {
    TF_Tensor* out[2] = {NULL, NULL};
    TF_SessionRun(session, NULL, &fed, &t, 1, fetches, out, 2, NULL, 0, NULL, status);
    CHECK_OK(status);
    for (int k = 0; k < 2 && out[k] != NULL; ++k) Elements(out[k], texts, 3);
    for (int k = 0; k < 2; ++k) TF_DeleteTensor(out[k]);
  }

  /* Memory of the caller's, with views. */
  TF_TString mine[1];
  TF_StringInit(&mine[0]);
  TF_StringAssignView(&mine[0], kLong, sizeof kLong - 1);
  TF_Tensor* view = TF_NewTensor(TF_STRING, NULL, 0, mine, sizeof mine, NULL, NULL);
  TF_Tensor* out = NULL;
  TF_SessionRun(session, NULL, &fed, &view, 1, &passed, &out, 1, NULL, 0, NULL, status);
  CHECK_OK(status);
  if (out != NULL) Elements(out, &texts[2], 1);
  TF_DeleteTensor(out);
  TF_DeleteTensor(view);

  TF_DeleteSession(session, status);
  TF_DeleteGraph(graph);
  for (int i = 0; i < 3; ++i) TF_StringDealloc(&elements[i]);
  TF_DeleteTensor(t);
}

int main(void) {
  TF_Status* status = TF_NewStatus();
  Forms();
  OldForm(status);
  Tensors(status);
  TF_DeleteStatus(status);
  return Report();
}
