/* A small network for the tests of a guest's manners, with enough rows that a session
 * of two threads uses both. */
#ifndef MILLRACE_TESTS_RUNTIME_GUEST_NETWORK_H_
#define MILLRACE_TESTS_RUNTIME_GUEST_NETWORK_H_

#include "millrace/tests/runtime/c_api_check.h"

enum { kRows = 512, kColumns = 256 };

/* Numbers from -scale to scale. */
static inline TF_Tensor* Rows(int64_t rows, float scale) {
  const int64_t dims[2] = {rows, kColumns};
  TF_Tensor* tensor = TF_AllocateTensor(TF_FLOAT, dims, 2, (size_t)rows * kColumns * sizeof(float));
  float* at = TF_TensorData(tensor);
  unsigned state = 1;
  for (int64_t i = 0; i < rows * kColumns; ++i) {
    state = state * 1664525u + 1013904223u;
    at[i] = scale * ((float)(int)(state >> 8) / 8388608.0f - 1.0f);
  }
  return tensor;
}
static inline TF_Tensor* Matrix(float scale) { return Rows(kRows, scale); }

static inline TF_Output Call(TF_Graph* graph, const char* op, const char* name, TF_Output a, TF_Output b,
                             TF_Status* status) {
  TF_OperationDescription* desc = TF_NewOperation(graph, op, name);
  TF_AddInput(desc, a);
  if (b.oper != NULL) TF_AddInput(desc, b);
  const TF_Output out = {TF_FinishOperation(desc, status), 0};
  CHECK_OK(status);
  return out;
}

typedef struct Network {
  TF_Graph* graph;
  TF_Output x, y;
} Network;

/* y = softmax(exp(tanh(x)) transpose(x) / 3); the third is folded. */
static inline Network NewNetwork(TF_Status* status) {
  Network n = {TF_NewGraph(), {NULL, 0}, {NULL, 0}};
  const TF_Output none = {NULL, 0};
  TF_OperationDescription* desc = TF_NewOperation(n.graph, "Placeholder", "x");
  const int64_t dims[2] = {-1, kColumns};
  TF_SetAttrType(desc, "dtype", TF_FLOAT);
  TF_SetAttrShape(desc, "shape", dims, 2);
  n.x.oper = TF_FinishOperation(desc, status);
  CHECK_OK(status);
  TF_Tensor* third = TF_AllocateTensor(TF_FLOAT, NULL, 0, sizeof(float));
  *(float*)TF_TensorData(third) = 3;
  desc = TF_NewOperation(n.graph, "Const", "three");
  TF_SetAttrTensor(desc, "value", third, status);
  TF_SetAttrType(desc, "dtype", TF_FLOAT);
  TF_Output three = {TF_FinishOperation(desc, status), 0};
  TF_DeleteTensor(third);
  three = Call(n.graph, "Reciprocal", "third", three, none, status);
  const TF_Output grown = Call(n.graph, "Exp", "exp", Call(n.graph, "Tanh", "tanh", n.x, none, status), none, status);
  desc = TF_NewOperation(n.graph, "MatMul", "product");
  TF_AddInput(desc, grown);
  TF_AddInput(desc, n.x);
  TF_SetAttrBool(desc, "transpose_b", 1);
  const TF_Output product = {TF_FinishOperation(desc, status), 0};
  CHECK_OK(status);
  n.y = Call(n.graph, "Softmax", "y", Call(n.graph, "Mul", "scaled", product, three, status), none, status);
  return n;
}

static inline TF_Session* NewSession(TF_Graph* graph, unsigned char threads, TF_Status* status) {
  TF_SessionOptions* options = TF_NewSessionOptions();
  const unsigned char config[4] = {0x10, threads, 0x28, threads}; /* intra-op, inter-op */
  TF_SetConfig(options, config, sizeof config, status);
  CHECK_OK(status);
  TF_Session* session = TF_NewSession(graph, options, status);
  CHECK_OK(status);
  TF_DeleteSessionOptions(options);
  return session;
}

/* Null, and the error in `status`, where the run fails. */
static inline TF_Tensor* RunNetwork(TF_Session* session, const Network* n, TF_Tensor* x, TF_Status* status) {
  TF_Tensor* y = NULL;
  TF_SessionRun(session, NULL, &n->x, &x, 1, &n->y, &y, 1, NULL, 0, NULL, status);
  return y;
}

static inline int SameBits(const TF_Tensor* a, const TF_Tensor* b) {
  return a != NULL && b != NULL && TF_TensorByteSize(a) == TF_TensorByteSize(b) &&
         memcmp(TF_TensorData(a), TF_TensorData(b), TF_TensorByteSize(a)) == 0;
}

#endif /* MILLRACE_TESTS_RUNTIME_GUEST_NETWORK_H_ */
