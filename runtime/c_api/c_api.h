/* The C interface that programs written for libtensorflow link against: graphs
 * are imported, sessions run them, tensors go in and out. Names, argument lists
 * and numbers are those of that interface; the library is libtensorflow.so.2 and
 * exports nothing but TF_ names, under the version node "tensorflow".
 *
 * Whoever gets an object from a TF_New..., TF_Allocate... or TF_SessionRun call
 * owns it and gives it to the TF_Delete... call of its kind, once. A call that
 * takes a TF_Status puts its outcome there: code 0 or an error with a message. */
#ifndef MILLRACE_RUNTIME_C_API_C_API_H_
#define MILLRACE_RUNTIME_C_API_C_API_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define TF_CAPI_EXPORT __attribute__((visibility("default")))
#else
#define TF_CAPI_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- versions ---- */

/* The text of this library's version. Never freed. */
TF_CAPI_EXPORT const char* TF_Version(void);

/* ---- outcome of a call ---- */

typedef enum TF_Code {
  TF_OK = 0,
  TF_CANCELLED = 1,
  TF_UNKNOWN = 2,
  TF_INVALID_ARGUMENT = 3,
  TF_DEADLINE_EXCEEDED = 4,
  TF_NOT_FOUND = 5,
  TF_ALREADY_EXISTS = 6,
  TF_PERMISSION_DENIED = 7,
  TF_RESOURCE_EXHAUSTED = 8,
  TF_FAILED_PRECONDITION = 9,
  TF_ABORTED = 10,
  TF_OUT_OF_RANGE = 11,
  TF_UNIMPLEMENTED = 12,
  TF_INTERNAL = 13,
  TF_UNAVAILABLE = 14,
  TF_DATA_LOSS = 15,
  TF_UNAUTHENTICATED = 16
} TF_Code;

typedef struct TF_Status TF_Status;

TF_CAPI_EXPORT TF_Status* TF_NewStatus(void);
TF_CAPI_EXPORT void TF_DeleteStatus(TF_Status* status);
/* Overwrites what is there; `message` is copied. */
TF_CAPI_EXPORT void TF_SetStatus(TF_Status* status, TF_Code code, const char* message);
TF_CAPI_EXPORT TF_Code TF_GetCode(const TF_Status* status);
/* "" for success. Valid until the status is changed or deleted. */
TF_CAPI_EXPORT const char* TF_Message(const TF_Status* status);

/* ---- bytes ---- */

/* A range of bytes. `data_deallocator` is called with data and length when the
 * buffer is deleted; null where nobody frees them. */
typedef struct TF_Buffer {
  const void* data;
  size_t length;
  void (*data_deallocator)(void* data, size_t length);
} TF_Buffer;

TF_CAPI_EXPORT TF_Buffer* TF_NewBuffer(void);
/* With a copy of `length` bytes. */
TF_CAPI_EXPORT TF_Buffer* TF_NewBufferFromString(const void* bytes, size_t length);
TF_CAPI_EXPORT void TF_DeleteBuffer(TF_Buffer* buffer);
/* What `buffer` holds, by value; the bytes stay its own. */
TF_CAPI_EXPORT TF_Buffer TF_GetBuffer(TF_Buffer* buffer);

/* ---- tensors ---- */

typedef enum TF_DataType {
  TF_FLOAT = 1,
  TF_DOUBLE = 2,
  TF_INT32 = 3,
  TF_UINT8 = 4,
  TF_INT16 = 5,
  TF_INT8 = 6,
  TF_STRING = 7,
  TF_COMPLEX64 = 8,
  TF_COMPLEX = 8,
  TF_INT64 = 9,
  TF_BOOL = 10,
  TF_QINT8 = 11,
  TF_QUINT8 = 12,
  TF_QINT32 = 13,
  TF_BFLOAT16 = 14,
  TF_QINT16 = 15,
  TF_QUINT16 = 16,
  TF_UINT16 = 17,
  TF_COMPLEX128 = 18,
  TF_HALF = 19,
  TF_RESOURCE = 20,
  TF_VARIANT = 21,
  TF_UINT32 = 22,
  TF_UINT64 = 23
} TF_DataType;

/* Bytes of one element; 0 for types that have no fixed size. */
TF_CAPI_EXPORT size_t TF_DataTypeSize(TF_DataType dtype);

typedef struct TF_Tensor TF_Tensor;

/* A dense row-major tensor with room for `length` bytes, not initialised,
 * aligned to 64. Null where dims, dtype and length make no sense or memory is
 * short. */
TF_CAPI_EXPORT TF_Tensor* TF_AllocateTensor(TF_DataType dtype, const int64_t* dims, int num_dims, size_t length);
/* Over the caller's memory, which is given back through `deallocator` when the
 * tensor is deleted (at once where the call returns null). */
TF_CAPI_EXPORT TF_Tensor* TF_NewTensor(TF_DataType dtype, const int64_t* dims, int num_dims, void* data, size_t length,
                                       void (*deallocator)(void* data, size_t length, void* arg),
                                       void* deallocator_arg);
TF_CAPI_EXPORT void TF_DeleteTensor(TF_Tensor* tensor);
TF_CAPI_EXPORT TF_DataType TF_TensorType(const TF_Tensor* tensor);
TF_CAPI_EXPORT int TF_NumDims(const TF_Tensor* tensor);
/* 0 <= dim_index < TF_NumDims. */
TF_CAPI_EXPORT int64_t TF_Dim(const TF_Tensor* tensor, int dim_index);
TF_CAPI_EXPORT int64_t TF_TensorElementCount(const TF_Tensor* tensor);
TF_CAPI_EXPORT size_t TF_TensorByteSize(const TF_Tensor* tensor);
TF_CAPI_EXPORT void* TF_TensorData(const TF_Tensor* tensor);

/* ---- graphs ---- */

typedef struct TF_Graph TF_Graph;
/* A node of a graph; lives as long as the graph, and the sessions on it, do. */
typedef struct TF_Operation TF_Operation;

/* Output `index` of a node. */
typedef struct TF_Output {
  TF_Operation* oper;
  int index;
} TF_Output;

TF_CAPI_EXPORT TF_Graph* TF_NewGraph(void);
/* Sessions made of it keep what they need. */
TF_CAPI_EXPORT void TF_DeleteGraph(TF_Graph* graph);
/* Null where there is no such node. */
TF_CAPI_EXPORT TF_Operation* TF_GraphOperationByName(TF_Graph* graph, const char* name);
TF_CAPI_EXPORT const char* TF_OperationName(TF_Operation* oper);
TF_CAPI_EXPORT const char* TF_OperationOpType(TF_Operation* oper);
TF_CAPI_EXPORT int TF_OperationNumOutputs(TF_Operation* oper);
TF_CAPI_EXPORT TF_DataType TF_OperationOutputType(TF_Output output);
/* The node after the one at *pos, in order of arrival; *pos starts at 0. Null at
 * the end. */
TF_CAPI_EXPORT TF_Operation* TF_GraphNextOperation(TF_Graph* graph, size_t* pos);

typedef struct TF_ImportGraphDefOptions TF_ImportGraphDefOptions;

TF_CAPI_EXPORT TF_ImportGraphDefOptions* TF_NewImportGraphDefOptions(void);
TF_CAPI_EXPORT void TF_DeleteImportGraphDefOptions(TF_ImportGraphDefOptions* options);
/* Every imported name is put under "prefix/". */
TF_CAPI_EXPORT void TF_ImportGraphDefOptionsSetPrefix(TF_ImportGraphDefOptions* options, const char* prefix);
/* Adds all nodes of the serialized GraphDef, or none. The bytes may be freed
 * after the call. */
TF_CAPI_EXPORT void TF_GraphImportGraphDef(TF_Graph* graph, const TF_Buffer* graph_def,
                                           const TF_ImportGraphDefOptions* options, TF_Status* status);

/* ---- sessions ---- */

typedef struct TF_SessionOptions TF_SessionOptions;
typedef struct TF_Session TF_Session;

TF_CAPI_EXPORT TF_SessionOptions* TF_NewSessionOptions(void);
TF_CAPI_EXPORT void TF_DeleteSessionOptions(TF_SessionOptions* options);
/* A serialized ConfigProto. Its numbers of threads are heeded: the larger of
 * intra-op and inter-op where both are given, since one pool serves both. */
TF_CAPI_EXPORT void TF_SetConfig(TF_SessionOptions* options, const void* proto, size_t proto_len, TF_Status* status);
/* The only target is the process itself: "". */
TF_CAPI_EXPORT void TF_SetTarget(TF_SessionOptions* options, const char* target);

/* Null with an error in `status`. The graph may be deleted before the session. */
TF_CAPI_EXPORT TF_Session* TF_NewSession(TF_Graph* graph, const TF_SessionOptions* options, TF_Status* status);
/* Waits for runs in progress; later ones fail. */
TF_CAPI_EXPORT void TF_CloseSession(TF_Session* session, TF_Status* status);
TF_CAPI_EXPORT void TF_DeleteSession(TF_Session* session, TF_Status* status);
/* Feeds inputs[i] with input_values[i], fetches outputs into new tensors in
 * output_values (all null on an error), and runs the targets. `run_options` is
 * null or a serialized RunOptions, of which the timeout is heeded; `run_metadata`
 * is null or an empty buffer, which is filled with a serialized RunMetadata.
 * Any number of threads may run a session at once. */
TF_CAPI_EXPORT void TF_SessionRun(TF_Session* session, const TF_Buffer* run_options, const TF_Output* inputs,
                                  TF_Tensor* const* input_values, int ninputs, const TF_Output* outputs,
                                  TF_Tensor** output_values, int noutputs, const TF_Operation* const* target_opers,
                                  int ntargets, TF_Buffer* run_metadata, TF_Status* status);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* MILLRACE_RUNTIME_C_API_C_API_H_ */
