/* Graphs of float scalars, for the tests of the C interface. */
#ifndef MILLRACE_TESTS_RUNTIME_C_API_SCALARS_H_
#define MILLRACE_TESTS_RUNTIME_C_API_SCALARS_H_

#include "millrace/tests/runtime/c_api_check.h"

/* A placeholder for a scalar. */
static inline TF_Output Input(TF_Graph* graph, const char* name, TF_DataType dtype, TF_Status* status) {
  TF_OperationDescription* desc = TF_NewOperation(graph, "Placeholder", name);
  TF_SetAttrType(desc, "dtype", dtype);
  TF_SetAttrShape(desc, "shape", NULL, 0);
  const TF_Output out = {TF_FinishOperation(desc, status), 0};
  return out;
}
/* A node with inputs that are no lists and without attributes of its own. */
static inline TF_Output Node(TF_Graph* graph, const char* op, const char* name, const TF_Output* inputs, int count,
                             TF_Status* status) {
  TF_OperationDescription* desc = TF_NewOperation(graph, op, name);
  for (int i = 0; i < count; ++i) TF_AddInput(desc, inputs[i]);
  const TF_Output out = {TF_FinishOperation(desc, status), 0};
  return out;
}
/* What `fetch` is where `feed` is `value`; -1 on an error. */
static inline float Run(TF_Graph* graph, TF_Output feed, float value, TF_Output fetch, TF_Status* status) {
  TF_Session* session = TF_NewSession(graph, NULL, status);
  TF_Tensor* in = TF_AllocateTensor(TF_FLOAT, NULL, 0, sizeof value);
  memcpy(TF_TensorData(in), &value, sizeof value);
  TF_Tensor* out = NULL;
  TF_SessionRun(session, NULL, &feed, &in, 1, &fetch, &out, 1, NULL, 0, NULL, status);
  CHECK_OK(status);
  const float result = out != NULL ? *(const float*)TF_TensorData(out) : -1;
  TF_DeleteTensor(out);
  TF_DeleteTensor(in);
  TF_Status* ignored = TF_NewStatus();
  TF_DeleteSession(session, ignored);
  TF_DeleteStatus(ignored);
  return result;
}

#endif /* MILLRACE_TESTS_RUNTIME_C_API_SCALARS_H_ */
