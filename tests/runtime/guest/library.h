/* A library of the C interface that is loaded by name, with as little of it as a sum of
 * two numbers takes. */
#ifndef MILLRACE_TESTS_RUNTIME_GUEST_LIBRARY_H_
#define MILLRACE_TESTS_RUNTIME_GUEST_LIBRARY_H_

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "millrace/runtime/c_api/c_api.h"

#define LIBRARY_CALLS(X)     \
  X(TF_Version)              \
  X(TF_NewStatus)            \
  X(TF_DeleteStatus)         \
  X(TF_GetCode)              \
  X(TF_Message)              \
  X(TF_NewGraph)             \
  X(TF_DeleteGraph)          \
  X(TF_NewOperation)         \
  X(TF_SetAttrType)          \
  X(TF_AddInput)             \
  X(TF_FinishOperation)      \
  X(TF_NewSessionOptions)    \
  X(TF_DeleteSessionOptions) \
  X(TF_NewSession)           \
  X(TF_DeleteSession)        \
  X(TF_SessionRun)           \
  X(TF_AllocateTensor)       \
  X(TF_DeleteTensor)         \
  X(TF_TensorData)           \
  X(TF_NewBuffer)            \
  X(TF_DeleteBuffer)         \
  X(TF_GraphToGraphDef)

typedef struct Library {
  void* handle;
#define LIBRARY_MEMBER(name) __typeof__(&name) name;
  LIBRARY_CALLS(LIBRARY_MEMBER)
#undef LIBRARY_MEMBER
} Library;

/* 0 where it cannot be loaded or lacks a call: that is printed. */
static inline int LoadLibrary(const char* file, int mode, Library* library) {
  library->handle = dlopen(file, mode);
  if (library->handle == NULL) {
    printf("%s\n", dlerror());
    return 0;
  }
#define LIBRARY_MEMBER(name)                               \
  *(void**)&library->name = dlsym(library->handle, #name); \
  if (library->name == NULL) {                             \
    printf("%s has no %s\n", file, #name);                 \
    return 0;                                              \
  }
  LIBRARY_CALLS(LIBRARY_MEMBER)
#undef LIBRARY_MEMBER
  return 1;
}

/* A graph of x + x. */
static inline TF_Graph* NewSum(const Library* l, TF_Output* x, TF_Output* sum, TF_Status* status) {
  TF_Graph* graph = l->TF_NewGraph();
  TF_OperationDescription* desc = l->TF_NewOperation(graph, "Placeholder", "x");
  l->TF_SetAttrType(desc, "dtype", TF_FLOAT);
  x->oper = l->TF_FinishOperation(desc, status);
  desc = l->TF_NewOperation(graph, "AddV2", "sum");
  x->index = sum->index = 0;
  l->TF_AddInput(desc, *x);
  l->TF_AddInput(desc, *x);
  sum->oper = l->TF_FinishOperation(desc, status);
  return graph;
}

/* value + value by a session; -1 and a message where something fails. */
static inline float Twice(const Library* l, float value) {
  TF_Status* status = l->TF_NewStatus();
  TF_Output x, sum;
  TF_Graph* graph = NewSum(l, &x, &sum, status);
  TF_SessionOptions* options = l->TF_NewSessionOptions();
  TF_Session* session = l->TF_NewSession(graph, options, status);
  TF_Tensor* in = l->TF_AllocateTensor(TF_FLOAT, NULL, 0, sizeof value);
  memcpy(l->TF_TensorData(in), &value, sizeof value);
  TF_Tensor* out = NULL;
  if (session != NULL) l->TF_SessionRun(session, NULL, &x, &in, 1, &sum, &out, 1, NULL, 0, NULL, status);
  float result = -1;
  if (out != NULL) memcpy(&result, l->TF_TensorData(out), sizeof result);
  else printf("%s\n", l->TF_Message(status));
  l->TF_DeleteTensor(in);
  if (out != NULL) l->TF_DeleteTensor(out);
  if (session != NULL) l->TF_DeleteSession(session, status);
  l->TF_DeleteSessionOptions(options);
  l->TF_DeleteGraph(graph);
  l->TF_DeleteStatus(status);
  return result;
}

#endif /* MILLRACE_TESTS_RUNTIME_GUEST_LIBRARY_H_ */
