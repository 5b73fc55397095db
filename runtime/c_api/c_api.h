/* The C interface that programs written for libtensorflow link against: graphs
 * are imported, sessions run them, tensors go in and out. Names, argument lists
 * and numbers are those of that interface; the library is libtensorflow.so.2 and
 * exports nothing but TF_ and TFE_ names, under the version node "tensorflow".
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

/* "2.21.0-millrace.0.1.0": the version of TensorFlow whose interface this is, which
   hosts ask for, and this library's own. Never freed. */
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

/* With code 0 and no message. One thread at a time uses it. */
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

/* Without bytes. */
TF_CAPI_EXPORT TF_Buffer* TF_NewBuffer(void);
/* With a copy of `length` bytes. */
TF_CAPI_EXPORT TF_Buffer* TF_NewBufferFromString(const void* bytes, size_t length);
TF_CAPI_EXPORT void TF_DeleteBuffer(TF_Buffer* buffer);
/* What `buffer` holds, by value; the bytes stay its own. */
TF_CAPI_EXPORT TF_Buffer TF_GetBuffer(TF_Buffer* buffer);

/* ---- tensors ---- */

// In C++ too, a host may pass any number: it gets an error.
#ifdef __cplusplus
typedef enum TF_DataType : int {
#else
typedef enum TF_DataType {
#endif
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
  TF_UINT64 = 23,
  /* Hosts name these; there are no tensors of them here. */
  TF_FLOAT8_E5M2 = 24,
  TF_FLOAT8_E4M3FN = 25,
  TF_INT4 = 29,
  TF_UINT4 = 30
} TF_DataType;

/* Bytes of one element; 0 for types that have no fixed size. */
TF_CAPI_EXPORT size_t TF_DataTypeSize(TF_DataType dtype);

typedef struct TF_Tensor TF_Tensor;

/* A dense row-major tensor with room for `length` bytes, not initialised (strings
 * are empty), aligned to 64. The elements of a string tensor are TF_TString. Null where dims, dtype and length make no
 * sense or memory is short. */
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
/* `to` becomes a tensor of `type` and those dims with a copy of the bytes of
 * `from`; INVALID_ARGUMENT, and `to` as before, where they do not add up, or for
 * strings. */
TF_CAPI_EXPORT void TF_TensorBitcastFrom(const TF_Tensor* from, TF_DataType type, TF_Tensor* to,
                                         const int64_t* new_dims, int num_new_dims, TF_Status* status);
/* A tensor that takes over the memory of `tensor`, which is deleted with that; null,
 * and `tensor` as before, where the memory is somebody else's. */
TF_CAPI_EXPORT TF_Tensor* TF_TensorMaybeMove(TF_Tensor* tensor);

/* ---- strings ---- */

/* An element of a string tensor: 24 bytes, in one of four forms that the two low
 * bits of its first byte tell apart. All zero bytes are an empty string. */
typedef enum TF_TString_Type {
  TF_TSTR_SMALL = 0,  /* up to 22 bytes in place */
  TF_TSTR_LARGE = 1,  /* memory of its own, of malloc */
  TF_TSTR_OFFSET = 2, /* bytes at a distance from the element; read, never made */
  TF_TSTR_VIEW = 3    /* the caller's memory */
} TF_TString_Type;

typedef struct TF_TString {
  union {
    struct {
      uint8_t size; /* times 4, plus the form; so are the others */
      char str[23];
    } smll;
    struct {
      size_t size;
      size_t cap;
      char* ptr;
    } large;
    struct {
      uint32_t size;
      uint32_t offset;
      uint32_t count;
    } offset;
    struct {
      size_t size;
      const char* ptr;
      void* owner; /* not looked at: whoever set it lets it go */
    } view;
    struct {
      uint8_t raw[24];
    } raw;
  } u;
} TF_TString;

/* To an empty string, whatever the bytes were. Before the first other call for an
 * element whose memory the caller made; elements of TF_AllocateTensor are empty. */
TF_CAPI_EXPORT void TF_StringInit(TF_TString* string);
/* A copy of the bytes, which may hold zeros. Empty where memory is short. */
TF_CAPI_EXPORT void TF_StringCopy(TF_TString* dst, const char* src, size_t size);
/* The bytes stay the caller's and outlive the element. */
TF_CAPI_EXPORT void TF_StringAssignView(TF_TString* dst, const char* src, size_t size);
/* Valid until the element changes or moves. */
TF_CAPI_EXPORT const char* TF_StringGetDataPointer(const TF_TString* string);
TF_CAPI_EXPORT TF_TString_Type TF_StringGetType(const TF_TString* string);
TF_CAPI_EXPORT size_t TF_StringGetSize(const TF_TString* string);
/* Bytes that fit without new memory; 0 for offsets and views. */
TF_CAPI_EXPORT size_t TF_StringGetCapacity(const TF_TString* string);
/* Frees what the element has of its own and leaves an empty string. For elements
 * that the caller filled, before their tensor is deleted; those of a result go
 * with it. */
TF_CAPI_EXPORT void TF_StringDealloc(TF_TString* string);

/* The same under the names that programs have from a header of the original's. */
static inline void TF_TString_Init(TF_TString* string) { TF_StringInit(string); }
static inline void TF_TString_Copy(TF_TString* dst, const char* src, size_t size) { TF_StringCopy(dst, src, size); }
static inline void TF_TString_AssignView(TF_TString* dst, const char* src, size_t size) {
  TF_StringAssignView(dst, src, size);
}
static inline const char* TF_TString_GetDataPointer(const TF_TString* string) {
  return TF_StringGetDataPointer(string);
}
static inline TF_TString_Type TF_TString_GetType(const TF_TString* string) { return TF_StringGetType(string); }
static inline size_t TF_TString_GetSize(const TF_TString* string) { return TF_StringGetSize(string); }
static inline size_t TF_TString_GetCapacity(const TF_TString* string) { return TF_StringGetCapacity(string); }
static inline void TF_TString_Dealloc(TF_TString* string) { TF_StringDealloc(string); }

/* Strings as versions before 2.4 had them: a varint with the length, then the
 * bytes. Encode and Decode return the bytes written or read, 0 on an error: no
 * room in `dst`, bytes that are no such string. *dst points into `src`. */
TF_CAPI_EXPORT size_t TF_StringEncodedSize(size_t len);
TF_CAPI_EXPORT size_t TF_StringEncode(const char* src, size_t src_len, char* dst, size_t dst_len, TF_Status* status);
TF_CAPI_EXPORT size_t TF_StringDecode(const char* src, size_t src_len, const char** dst, size_t* dst_len,
                                      TF_Status* status);

/* ---- graphs ---- */

typedef struct TF_Graph TF_Graph;
/* A node of a graph; lives as long as the graph, and the sessions on it, do. */
typedef struct TF_Operation TF_Operation;

/* Output `index` of a node. */
typedef struct TF_Output {
  TF_Operation* oper;
  int index;
} TF_Output;

/* Input `index` of a node. */
typedef struct TF_Input {
  TF_Operation* oper;
  int index;
} TF_Input;

/* Calls that take the graph may come from any thread; those that take a node do
 * not lock, so no other thread may add to the graph meanwhile. Pointers to nodes
 * and names are not null unless a call says that it minds. */
TF_CAPI_EXPORT TF_Graph* TF_NewGraph(void);
/* Sessions made of it keep what they need. */
TF_CAPI_EXPORT void TF_DeleteGraph(TF_Graph* graph);
/* Null where there is no such node. */
TF_CAPI_EXPORT TF_Operation* TF_GraphOperationByName(TF_Graph* graph, const char* name);
/* The node after the one at *pos, in order of arrival; *pos starts at 0. Null at
 * the end. */
TF_CAPI_EXPORT TF_Operation* TF_GraphNextOperation(TF_Graph* graph, size_t* pos);

/* What inference knows of a tensor's shape: the rank, -1 for none; then the
 * extents, -1 for unknown ones. num_dims is the rank; a tensor without one, or of
 * another, is an error. */
TF_CAPI_EXPORT int TF_GraphGetTensorNumDims(TF_Graph* graph, TF_Output output, TF_Status* status);
TF_CAPI_EXPORT void TF_GraphGetTensorShape(TF_Graph* graph, TF_Output output, int64_t* dims, int num_dims,
                                           TF_Status* status);
/* The tensor has that shape, as far as it says more than is known (num_dims -1:
 * nothing); INVALID_ARGUMENT where the two do not agree. Nodes that are added
 * later see it. */
TF_CAPI_EXPORT void TF_GraphSetTensorShape(TF_Graph* graph, TF_Output output, const int64_t* dims, int num_dims,
                                           TF_Status* status);

/* Serialized messages, into empty buffers: GraphDef, VersionDef, OpDef (NOT_FOUND
 * for no op of that name); the OpList of all ops is the caller's. */
TF_CAPI_EXPORT void TF_GraphToGraphDef(TF_Graph* graph, TF_Buffer* output_graph_def, TF_Status* status);
TF_CAPI_EXPORT void TF_GraphVersions(TF_Graph* graph, TF_Buffer* output_version_def, TF_Status* status);
TF_CAPI_EXPORT void TF_GraphGetOpDef(TF_Graph* graph, const char* op_name, TF_Buffer* output_op_def, TF_Status* status);
TF_CAPI_EXPORT TF_Buffer* TF_GetAllOpList(void);
/* A line for each node, for people. The text is the caller's, for free(). */
TF_CAPI_EXPORT const char* TF_GraphDebugString(TF_Graph* graph, size_t* len);
/* 1 and a tensor of the caller's where the value is known without a run (a
 * constant, or a small one passed on), else 0 and null. */
TF_CAPI_EXPORT unsigned char TF_TryEvaluateConstant(TF_Graph* graph, TF_Output output, TF_Tensor** result,
                                                    TF_Status* status);

/* ---- import ---- */

typedef struct TF_ImportGraphDefOptions TF_ImportGraphDefOptions;
typedef struct TF_ImportGraphDefResults TF_ImportGraphDefResults;

/* Options are for any number of imports. Names are copied; nodes are those of the
 * graph that is imported into. */
TF_CAPI_EXPORT TF_ImportGraphDefOptions* TF_NewImportGraphDefOptions(void);
TF_CAPI_EXPORT void TF_DeleteImportGraphDefOptions(TF_ImportGraphDefOptions* opts);
/* Every imported name is put under "prefix/". */
TF_CAPI_EXPORT void TF_ImportGraphDefOptionsSetPrefix(TF_ImportGraphDefOptions* opts, const char* prefix);
/* For nodes that name no device. */
TF_CAPI_EXPORT void TF_ImportGraphDefOptionsSetDefaultDevice(TF_ImportGraphDefOptions* opts, const char* device);
/* Names that are taken get a number ("x_1"); without it they are an error. The
 * second does so to the prefix as a whole. */
TF_CAPI_EXPORT void TF_ImportGraphDefOptionsSetUniquifyNames(TF_ImportGraphDefOptions* opts,
                                                             unsigned char uniquify_names);
TF_CAPI_EXPORT void TF_ImportGraphDefOptionsSetUniquifyPrefix(TF_ImportGraphDefOptions* opts,
                                                              unsigned char uniquify_prefix);
/* Without effect: colocation is no constraint here, so none is checked. */
TF_CAPI_EXPORT void TF_ImportGraphDefOptionsSetValidateColocationConstraints(TF_ImportGraphDefOptions* opts,
                                                                             unsigned char enable);
/* What reads output src_index of the file's node src_name (-1: waits for it) reads
 * `dst` of the graph instead. The second is the same for waiting. */
TF_CAPI_EXPORT void TF_ImportGraphDefOptionsAddInputMapping(TF_ImportGraphDefOptions* opts, const char* src_name,
                                                            int src_index, TF_Output dst);
TF_CAPI_EXPORT void TF_ImportGraphDefOptionsRemapControlDependency(TF_ImportGraphDefOptions* opts, const char* src_name,
                                                                   TF_Operation* dst);
/* All imported nodes run after `oper`. */
TF_CAPI_EXPORT void TF_ImportGraphDefOptionsAddControlDependency(TF_ImportGraphDefOptions* opts, TF_Operation* oper);
/* Asks for a tensor or a node of the file, by the name it has there, among the
 * results, in the order of the calls. A tensor that is mapped is what it is mapped
 * to. */
TF_CAPI_EXPORT void TF_ImportGraphDefOptionsAddReturnOutput(TF_ImportGraphDefOptions* opts, const char* oper_name,
                                                            int index);
TF_CAPI_EXPORT int TF_ImportGraphDefOptionsNumReturnOutputs(const TF_ImportGraphDefOptions* opts);
TF_CAPI_EXPORT void TF_ImportGraphDefOptionsAddReturnOperation(TF_ImportGraphDefOptions* opts, const char* oper_name);
TF_CAPI_EXPORT int TF_ImportGraphDefOptionsNumReturnOperations(const TF_ImportGraphDefOptions* opts);

/* Adds all nodes of the serialized GraphDef, or none. The bytes may be freed
 * after the call; options may be null. */
TF_CAPI_EXPORT void TF_GraphImportGraphDef(TF_Graph* graph, const TF_Buffer* graph_def,
                                           const TF_ImportGraphDefOptions* options, TF_Status* status);
/* The same with results, null on an error; or with room for exactly as many
 * return outputs as the options ask for. */
TF_CAPI_EXPORT TF_ImportGraphDefResults* TF_GraphImportGraphDefWithResults(TF_Graph* graph, const TF_Buffer* graph_def,
                                                                           const TF_ImportGraphDefOptions* options,
                                                                           TF_Status* status);
TF_CAPI_EXPORT void TF_GraphImportGraphDefWithReturnOutputs(TF_Graph* graph, const TF_Buffer* graph_def,
                                                            const TF_ImportGraphDefOptions* options,
                                                            TF_Output* return_outputs, int num_return_outputs,
                                                            TF_Status* status);
/* Arrays that live as long as the results. The last: input mappings that name no
 * output of the file. */
TF_CAPI_EXPORT void TF_ImportGraphDefResultsReturnOutputs(TF_ImportGraphDefResults* results, int* num_outputs,
                                                          TF_Output** outputs);
TF_CAPI_EXPORT void TF_ImportGraphDefResultsReturnOperations(TF_ImportGraphDefResults* results, int* num_opers,
                                                             TF_Operation*** opers);
TF_CAPI_EXPORT void TF_ImportGraphDefResultsMissingUnusedInputMappings(TF_ImportGraphDefResults* results,
                                                                       int* num_missing_unused_input_mappings,
                                                                       const char*** src_names, int** src_indexes);
TF_CAPI_EXPORT void TF_DeleteImportGraphDefResults(TF_ImportGraphDefResults* results);

/* ---- building node by node ---- */

/* A node in the making. One thread at a time. */
typedef struct TF_OperationDescription TF_OperationDescription;

TF_CAPI_EXPORT TF_OperationDescription* TF_NewOperation(TF_Graph* graph, const char* op_type, const char* oper_name);
/* Adds the node and frees the description, also on an error, where the result is
 * null and the graph as before: an unknown op is NOT_FOUND, a name that is taken,
 * arguments, attributes and shapes that do not fit are INVALID_ARGUMENT and name
 * the node. So are errors of the calls below that have no status. */
TF_CAPI_EXPORT TF_Operation* TF_FinishOperation(TF_OperationDescription* desc, TF_Status* status);

/* "" or null: anywhere. */
TF_CAPI_EXPORT void TF_SetDevice(TF_OperationDescription* desc, const char* device);
/* One call for each argument of the op, in order; the second for arguments that
 * are lists, also of one tensor. Attributes that give the types and numbers of
 * arguments need not be set. */
TF_CAPI_EXPORT void TF_AddInput(TF_OperationDescription* desc, TF_Output input);
TF_CAPI_EXPORT void TF_AddInputList(TF_OperationDescription* desc, const TF_Output* inputs, int num_inputs);
/* Runs after `input`. */
TF_CAPI_EXPORT void TF_AddControlInput(TF_OperationDescription* desc, TF_Operation* input);
/* Into the group of `op`: attribute "_class". */
TF_CAPI_EXPORT void TF_ColocateWith(TF_OperationDescription* desc, TF_Operation* op);

/* Attributes by kind. Values are copied; a later call for a name replaces the
 * value. num_dims -1 is a shape without a rank, an extent of -1 is unknown. */
TF_CAPI_EXPORT void TF_SetAttrString(TF_OperationDescription* desc, const char* attr_name, const void* value,
                                     size_t length);
TF_CAPI_EXPORT void TF_SetAttrStringList(TF_OperationDescription* desc, const char* attr_name,
                                         const void* const* values, const size_t* lengths, int num_values);
TF_CAPI_EXPORT void TF_SetAttrInt(TF_OperationDescription* desc, const char* attr_name, int64_t value);
TF_CAPI_EXPORT void TF_SetAttrIntList(TF_OperationDescription* desc, const char* attr_name, const int64_t* values,
                                      int num_values);
TF_CAPI_EXPORT void TF_SetAttrFloat(TF_OperationDescription* desc, const char* attr_name, float value);
TF_CAPI_EXPORT void TF_SetAttrFloatList(TF_OperationDescription* desc, const char* attr_name, const float* values,
                                        int num_values);
TF_CAPI_EXPORT void TF_SetAttrBool(TF_OperationDescription* desc, const char* attr_name, unsigned char value);
TF_CAPI_EXPORT void TF_SetAttrBoolList(TF_OperationDescription* desc, const char* attr_name,
                                       const unsigned char* values, int num_values);
TF_CAPI_EXPORT void TF_SetAttrType(TF_OperationDescription* desc, const char* attr_name, TF_DataType value);
TF_CAPI_EXPORT void TF_SetAttrTypeList(TF_OperationDescription* desc, const char* attr_name, const TF_DataType* values,
                                       int num_values);
/* Stands for an attribute of the function that the node will be in. */
TF_CAPI_EXPORT void TF_SetAttrPlaceholder(TF_OperationDescription* desc, const char* attr_name,
                                          const char* placeholder);
/* A function by name. */
TF_CAPI_EXPORT void TF_SetAttrFuncName(TF_OperationDescription* desc, const char* attr_name, const char* value,
                                       size_t length);
TF_CAPI_EXPORT void TF_SetAttrShape(TF_OperationDescription* desc, const char* attr_name, const int64_t* dims,
                                    int num_dims);
TF_CAPI_EXPORT void TF_SetAttrShapeList(TF_OperationDescription* desc, const char* attr_name,
                                        const int64_t* const* dims, const int* num_dims, int num_shapes);
/* Serialized TensorShapeProto. */
TF_CAPI_EXPORT void TF_SetAttrTensorShapeProto(TF_OperationDescription* desc, const char* attr_name, const void* proto,
                                               size_t proto_len, TF_Status* status);
TF_CAPI_EXPORT void TF_SetAttrTensorShapeProtoList(TF_OperationDescription* desc, const char* attr_name,
                                                   const void* const* protos, const size_t* proto_lens, int num_shapes,
                                                   TF_Status* status);
/* The tensors stay the caller's. */
TF_CAPI_EXPORT void TF_SetAttrTensor(TF_OperationDescription* desc, const char* attr_name, TF_Tensor* value,
                                     TF_Status* status);
TF_CAPI_EXPORT void TF_SetAttrTensorList(TF_OperationDescription* desc, const char* attr_name, TF_Tensor* const* values,
                                         int num_values, TF_Status* status);
/* A serialized AttrValue of any kind. */
TF_CAPI_EXPORT void TF_SetAttrValueProto(TF_OperationDescription* desc, const char* attr_name, const void* proto,
                                         size_t proto_len, TF_Status* status);

/* ---- nodes ---- */

/* Texts live as long as the graph. */
TF_CAPI_EXPORT const char* TF_OperationName(TF_Operation* oper);
TF_CAPI_EXPORT const char* TF_OperationOpType(TF_Operation* oper);
TF_CAPI_EXPORT const char* TF_OperationDevice(TF_Operation* oper);

/* Tensors that go in and come out; the types of those that are not there are 0,
 * their source is a null node. The length of one argument of the op, by name. */
TF_CAPI_EXPORT int TF_OperationNumInputs(TF_Operation* oper);
TF_CAPI_EXPORT TF_DataType TF_OperationInputType(TF_Input oper_in);
TF_CAPI_EXPORT int TF_OperationInputListLength(TF_Operation* oper, const char* arg_name, TF_Status* status);
TF_CAPI_EXPORT TF_Output TF_OperationInput(TF_Input oper_in);
TF_CAPI_EXPORT void TF_OperationAllInputs(TF_Operation* oper, TF_Output* inputs, int max_inputs);
TF_CAPI_EXPORT int TF_OperationNumOutputs(TF_Operation* oper);
TF_CAPI_EXPORT TF_DataType TF_OperationOutputType(TF_Output oper_out);
TF_CAPI_EXPORT int TF_OperationOutputListLength(TF_Operation* oper, const char* arg_name, TF_Status* status);

/* Neighbours: as many as there are is returned, at most max are written. */
TF_CAPI_EXPORT int TF_OperationOutputNumConsumers(TF_Output oper_out);
TF_CAPI_EXPORT int TF_OperationOutputConsumers(TF_Output oper_out, TF_Input* consumers, int max_consumers);
TF_CAPI_EXPORT int TF_OperationNumControlInputs(TF_Operation* oper);
TF_CAPI_EXPORT int TF_OperationGetControlInputs(TF_Operation* oper, TF_Operation** control_inputs,
                                                int max_control_inputs);
TF_CAPI_EXPORT int TF_OperationNumControlOutputs(TF_Operation* oper);
TF_CAPI_EXPORT int TF_OperationGetControlOutputs(TF_Operation* oper, TF_Operation** control_outputs,
                                                 int max_control_outputs);

/* A serialized NodeDef, into an empty buffer. */
TF_CAPI_EXPORT void TF_OperationToNodeDef(TF_Operation* oper, TF_Buffer* output_node_def, TF_Status* status);

/* ---- attributes of nodes ---- */

typedef enum TF_AttrType {
  TF_ATTR_STRING = 0,
  TF_ATTR_INT = 1,
  TF_ATTR_FLOAT = 2,
  TF_ATTR_BOOL = 3,
  TF_ATTR_TYPE = 4,
  TF_ATTR_SHAPE = 5,
  TF_ATTR_TENSOR = 6,
  TF_ATTR_PLACEHOLDER = 7,
  TF_ATTR_FUNC = 8
} TF_AttrType;

typedef struct TF_AttrMetadata {
  unsigned char is_list;
  int64_t list_size; /* of a list: its elements; else -1 */
  TF_AttrType type;  /* of the value, or of the list's elements */
  /* Of a string or a list of them: bytes, in all. Of a shape: its rank, -1 for
   * none; of a list of them: extents in all. Else -1. */
  int64_t total_size;
} TF_AttrMetadata;

/* INVALID_ARGUMENT, here and below, for an attribute that the node does not have
 * or that is of another kind. */
TF_CAPI_EXPORT TF_AttrMetadata TF_OperationGetAttrMetadata(TF_Operation* oper, const char* attr_name,
                                                           TF_Status* status);
/* At most max_length bytes, without a zero at the end. */
TF_CAPI_EXPORT void TF_OperationGetAttrString(TF_Operation* oper, const char* attr_name, void* value, size_t max_length,
                                              TF_Status* status);
/* The bytes go to `storage`, whose size metadata tell; values point there. */
TF_CAPI_EXPORT void TF_OperationGetAttrStringList(TF_Operation* oper, const char* attr_name, void** values,
                                                  size_t* lengths, int max_values, void* storage, size_t storage_size,
                                                  TF_Status* status);
/* Lists: at most max_values elements. */
TF_CAPI_EXPORT void TF_OperationGetAttrInt(TF_Operation* oper, const char* attr_name, int64_t* value,
                                           TF_Status* status);
TF_CAPI_EXPORT void TF_OperationGetAttrIntList(TF_Operation* oper, const char* attr_name, int64_t* values,
                                               int max_values, TF_Status* status);
TF_CAPI_EXPORT void TF_OperationGetAttrFloat(TF_Operation* oper, const char* attr_name, float* value,
                                             TF_Status* status);
TF_CAPI_EXPORT void TF_OperationGetAttrFloatList(TF_Operation* oper, const char* attr_name, float* values,
                                                 int max_values, TF_Status* status);
TF_CAPI_EXPORT void TF_OperationGetAttrBool(TF_Operation* oper, const char* attr_name, unsigned char* value,
                                            TF_Status* status);
TF_CAPI_EXPORT void TF_OperationGetAttrBoolList(TF_Operation* oper, const char* attr_name, unsigned char* values,
                                                int max_values, TF_Status* status);
TF_CAPI_EXPORT void TF_OperationGetAttrType(TF_Operation* oper, const char* attr_name, TF_DataType* value,
                                            TF_Status* status);
TF_CAPI_EXPORT void TF_OperationGetAttrTypeList(TF_Operation* oper, const char* attr_name, TF_DataType* values,
                                                int max_values, TF_Status* status);
/* At most num_dims extents; nothing is written where the rank is unknown. */
TF_CAPI_EXPORT void TF_OperationGetAttrShape(TF_Operation* oper, const char* attr_name, int64_t* value, int num_dims,
                                             TF_Status* status);
/* The extents go to `storage`, which has room for storage_size of them; num_dims
 * of a shape without a rank is -1. */
TF_CAPI_EXPORT void TF_OperationGetAttrShapeList(TF_Operation* oper, const char* attr_name, int64_t** dims,
                                                 int* num_dims, int num_shapes, int64_t* storage, int storage_size,
                                                 TF_Status* status);
/* Serialized TensorShapeProto, into an empty buffer, or new buffers. */
TF_CAPI_EXPORT void TF_OperationGetAttrTensorShapeProto(TF_Operation* oper, const char* attr_name, TF_Buffer* value,
                                                        TF_Status* status);
TF_CAPI_EXPORT void TF_OperationGetAttrTensorShapeProtoList(TF_Operation* oper, const char* attr_name,
                                                            TF_Buffer** values, int max_values, TF_Status* status);
/* New tensors, the caller's; null on an error. */
TF_CAPI_EXPORT void TF_OperationGetAttrTensor(TF_Operation* oper, const char* attr_name, TF_Tensor** value,
                                              TF_Status* status);
TF_CAPI_EXPORT void TF_OperationGetAttrTensorList(TF_Operation* oper, const char* attr_name, TF_Tensor** values,
                                                  int max_values, TF_Status* status);
/* A serialized AttrValue of any kind, into an empty buffer. */
TF_CAPI_EXPORT void TF_OperationGetAttrValueProto(TF_Operation* oper, const char* attr_name,
                                                  TF_Buffer* output_attr_value, TF_Status* status);
/* All attributes, defaults included, in order of their names: how many, the length
 * of a name (-1 where there is none), and the name with a zero at the end. */
TF_CAPI_EXPORT int TF_OperationGetNumAttrs(TF_Operation* oper);
TF_CAPI_EXPORT int TF_OperationGetAttrNameLength(TF_Operation* oper, int i);
TF_CAPI_EXPORT void TF_OperationGetAttrName(TF_Operation* oper, int i, char* output, TF_Status* status);

/* ---- sessions ---- */

typedef struct TF_SessionOptions TF_SessionOptions;
typedef struct TF_Session TF_Session;

TF_CAPI_EXPORT TF_SessionOptions* TF_NewSessionOptions(void);
TF_CAPI_EXPORT void TF_DeleteSessionOptions(TF_SessionOptions* options);
/* A serialized ConfigProto. Its numbers of threads are heeded: the larger of
 * intra-op and inter-op where both are given, since one pool serves both. So are
 * device_count, of CPUs, and allow_soft_placement: without it, as without a
 * config, a node that asks for a device that is not there fails the run. So is
 * graph_options.optimizer_options.global_jit_level, for machine code of fused
 * operations: OFF makes none; ON_1 and ON_2 make all of it before the first run;
 * DEFAULT makes it beside the runs where it pays. Results are the same bits, and the
 * environment's MILLRACE_CODEGEN has the last word. The rest of the config changes
 * nothing. Memory and other bounds come from the environment (proto/LIMITS.md). */
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
 * null or a serialized RunOptions, of which the timeout is heeded (also inside long
 * kernels and while the call compiles); `run_metadata`
 * is null or an empty buffer, which is filled with a serialized RunMetadata.
 * Any number of threads may run a session at once. */
TF_CAPI_EXPORT void TF_SessionRun(TF_Session* session, const TF_Buffer* run_options, const TF_Output* inputs,
                                  TF_Tensor* const* input_values, int ninputs, const TF_Output* outputs,
                                  TF_Tensor** output_values, int noutputs, const TF_Operation* const* target_opers,
                                  int ntargets, TF_Buffer* run_metadata, TF_Status* status);

/* A run in parts: all feeds, fetches and targets are said at first, then each call of
 * TF_SessionPRun gives some of the feeds and takes some of the fetches. Every node runs
 * once, in the call that brings the last feed it needs; what needs none, before
 * TF_SessionPRunSetup returns. Targets run as other nodes do.
 *
 * Setting up gives `handle`, a text that the caller deletes with TF_DeletePRunHandle, at
 * once or later; what counts is the text. An error gives null: those of TF_SessionRun,
 * for all feeds and fetches, and UNIMPLEMENTED, naming the node, where loops,
 * conditionals or gradients left to the compiler are needed.
 *
 * INVALID_ARGUMENT, and nothing has run: a handle that is of no run of the session, or of
 * one that is over; a feed or fetch that was not said at first, or was given or taken
 * before; a fetch that needs feeds that are not given yet. The run is over when all
 * feeds are given and all fetches taken, when a call fails while it runs, and when the
 * session is closed; what it keeps for later calls is kept until then. Feeds are copied
 * where later calls read them. TF_SessionPRun does not look at its targets. Any number
 * of runs may go on at once; of one, one call. */
TF_CAPI_EXPORT void TF_SessionPRunSetup(TF_Session* session, const TF_Output* inputs, int ninputs,
                                        const TF_Output* outputs, int noutputs, const TF_Operation* const* target_opers,
                                        int ntargets, const char** handle, TF_Status* status);
TF_CAPI_EXPORT void TF_SessionPRun(TF_Session* session, const char* handle, const TF_Output* inputs,
                                   TF_Tensor* const* input_values, int ninputs, const TF_Output* outputs,
                                   TF_Tensor** output_values, int noutputs, const TF_Operation* const* target_opers,
                                   int ntargets, TF_Status* status);
TF_CAPI_EXPORT void TF_DeletePRunHandle(const char* handle);

/* What the session runs on. Names and types live as long as the list; errors for
 * an index that is not there. Memory is a number that hosts expect, not a limit. */
typedef struct TF_DeviceList TF_DeviceList;
TF_CAPI_EXPORT TF_DeviceList* TF_SessionListDevices(TF_Session* session, TF_Status* status);
TF_CAPI_EXPORT void TF_DeleteDeviceList(TF_DeviceList* list);
TF_CAPI_EXPORT int TF_DeviceListCount(const TF_DeviceList* list);
TF_CAPI_EXPORT const char* TF_DeviceListName(const TF_DeviceList* list, int index, TF_Status* status);
TF_CAPI_EXPORT const char* TF_DeviceListType(const TF_DeviceList* list, int index, TF_Status* status);
TF_CAPI_EXPORT int64_t TF_DeviceListMemoryBytes(const TF_DeviceList* list, int index, TF_Status* status);
TF_CAPI_EXPORT uint64_t TF_DeviceListIncarnation(const TF_DeviceList* list, int index, TF_Status* status);

/* ---- gradients ---- */

/* Adds the nodes that compute the gradients of the sum of y[0..ny) with respect to
 * each x, under "gradients/" made unique or under `prefix`, which no node may be in.
 * dx: null, or what flows into each y, in place of ones. The nx gradients go to
 * dy, in the order of the xs; {NULL, -1} where every way from the ys to an x is through
 * what passes no gradient on, such as StopGradient. Errors leave dy alone: an x that no y
 * depends on, an op on the way without a gradient (it is named). */
TF_CAPI_EXPORT void TF_AddGradients(TF_Graph* g, TF_Output* y, int ny, TF_Output* x, int nx, TF_Output* dx,
                                    TF_Status* status, TF_Output* dy);
TF_CAPI_EXPORT void TF_AddGradientsWithPrefix(TF_Graph* g, const char* prefix, TF_Output* y, int ny, TF_Output* x,
                                              int nx, TF_Output* dx, TF_Status* status, TF_Output* dy);

/* ---- loops ---- */

/* A loop in the making. The caller adds nodes to cond_graph and body_graph, whose
 * placeholders cond_inputs and body_inputs stand for the loop variables, and sets
 * the rest: cond_output, a bool (a scalar) that says whether the loop goes on; in
 * body_outputs the variables of the next iteration, of the same types; and the name
 * of the loop, which stays the caller's. */
typedef struct TF_WhileParams {
  const int ninputs;
  TF_Graph* const cond_graph;
  const TF_Output* const cond_inputs;
  TF_Output cond_output;
  TF_Graph* const body_graph;
  const TF_Output* const body_inputs;
  TF_Output* const body_outputs;
  const char* name;
} TF_WhileParams;
/* A loop in `g` over variables that start as `inputs`, one or more tensors of that
 * graph. Zeros and nulls on an error; else one of the two calls below ends it. */
TF_CAPI_EXPORT TF_WhileParams TF_NewWhile(TF_Graph* g, TF_Output* inputs, int ninputs, TF_Status* status);
/* Adds the nodes of the loop, as the first version of control flow has them (Enter,
 * Merge, Switch, LoopCond, NextIteration, Exit), under the loop's name made unique;
 * `outputs` has room for ninputs tensors, the values of the variables behind the
 * loop. On an error the graph and `outputs` are as before. Frees the parts.
 * Sessions do not run such nodes yet (UNIMPLEMENTED): the graph is for others. */
TF_CAPI_EXPORT void TF_FinishWhile(const TF_WhileParams* params, TF_Status* status, TF_Output* outputs);
TF_CAPI_EXPORT void TF_AbortWhile(const TF_WhileParams* params);

/* ---- functions ---- */

typedef struct TF_Function TF_Function;
typedef struct TF_FunctionOptions TF_FunctionOptions; /* none: null */

/* A function of a part of a graph: `opers`, or for num_opers -1 all nodes but those
 * that make the inputs. Arguments are called after their nodes; so are results,
 * unless output_names are given. With append_hash the name ends in a hash of the
 * body. INVALID_ARGUMENT where the body needs what is neither in it nor an input. */
TF_CAPI_EXPORT TF_Function* TF_GraphToFunction(const TF_Graph* fn_body, const char* fn_name,
                                               unsigned char append_hash_to_fn_name, int num_opers,
                                               const TF_Operation* const* opers, int ninputs, const TF_Output* inputs,
                                               int noutputs, const TF_Output* outputs, const char* const* output_names,
                                               const TF_FunctionOptions* opts, const char* description,
                                               TF_Status* status);
/* From a serialized FunctionDef and to one, into an empty buffer. */
TF_CAPI_EXPORT TF_Function* TF_FunctionImportFunctionDef(const void* proto, size_t proto_len, TF_Status* status);
TF_CAPI_EXPORT void TF_FunctionToFunctionDef(TF_Function* func, TF_Buffer* output_func_def, TF_Status* status);
TF_CAPI_EXPORT void TF_DeleteFunction(TF_Function* func);
/* Valid until the function is deleted. */
TF_CAPI_EXPORT const char* TF_FunctionName(TF_Function* func);
/* For people. The text is the caller's, for free(). */
TF_CAPI_EXPORT char* TF_FunctionDebugString(TF_Function* func, size_t* len);
/* Attributes of the function itself, as serialized AttrValue. */
TF_CAPI_EXPORT void TF_FunctionSetAttrValueProto(TF_Function* func, const char* attr_name, const void* proto,
                                                 size_t proto_len, TF_Status* status);
TF_CAPI_EXPORT void TF_FunctionGetAttrValueProto(TF_Function* func, const char* attr_name, TF_Buffer* output_attr_value,
                                                 TF_Status* status);
/* Adds a copy to the graph's library, and `grad`, which may be null, as its
 * gradient. Nodes whose op is the function's name can be added then: they become
 * the nodes of the body. INVALID_ARGUMENT where the name has another body. */
TF_CAPI_EXPORT void TF_GraphCopyFunction(TF_Graph* g, const TF_Function* func, const TF_Function* grad,
                                         TF_Status* status);
/* Functions of the library: how many, and copies of at most max_func of them. */
TF_CAPI_EXPORT int TF_GraphNumFunctions(TF_Graph* g);
TF_CAPI_EXPORT int TF_GraphGetFunctions(TF_Graph* g, TF_Function** funcs, int max_func, TF_Status* status);

/* ---- shapes with types, configurations, kernels ---- */

typedef struct TF_ShapeAndType {
  int num_dims; /* -1: no rank */
  int64_t* dims;
  TF_DataType dtype;
} TF_ShapeAndType;
typedef struct TF_ShapeAndTypeList {
  int num_items;
  TF_ShapeAndType* items;
} TF_ShapeAndTypeList;

/* Of unknown shapes to begin with. An index that is not there changes nothing. */
TF_CAPI_EXPORT TF_ShapeAndTypeList* TF_NewShapeAndTypeList(int num_shapes);
TF_CAPI_EXPORT void TF_ShapeAndTypeListSetShape(TF_ShapeAndTypeList* shape_list, int index, const int64_t* dims,
                                                int num_dims);
TF_CAPI_EXPORT void TF_ShapeAndTypeListSetUnknownShape(TF_ShapeAndTypeList* shape_list, int index);
TF_CAPI_EXPORT void TF_DeleteShapeAndTypeList(TF_ShapeAndTypeList* shape_list);

/* A serialized ConfigProto for TF_SetConfig, the caller's; with enable_xla_compilation
 * its global_jit_level is ON_1. */
TF_CAPI_EXPORT TF_Buffer* TF_CreateConfig(unsigned char enable_xla_compilation, unsigned char gpu_memory_allow_growth,
                                          unsigned int num_cpu_devices);

/* Serialized KernelList, the caller's: of all ops, or of one (empty for an op that
 * is not there). */
TF_CAPI_EXPORT TF_Buffer* TF_GetAllRegisteredKernels(TF_Status* status);
TF_CAPI_EXPORT TF_Buffer* TF_GetRegisteredKernelsForOp(const char* name, TF_Status* status);

/* Does nothing: there are no flags to read. */
TF_CAPI_EXPORT void TF_InitMain(const char* usage, int* argc, char*** argv);

/* ---- ops of a program's own ---- */

/* Loads a shared object that defines ops with millrace/ops/user/load_ops.h; runs its
 * code. The ops are there for all graphs that are made later and for the lists of
 * ops and kernels; the object stays loaded. The same file again is the same
 * library. Null and an error that names the file: NOT_FOUND where it cannot be
 * loaded, INVALID_ARGUMENT where it defines no ops or one that is there already,
 * FAILED_PRECONDITION where it was built for another version, or for TensorFlow
 * itself, whose kernels do not run here. Thread-safe. */
typedef struct TF_Library TF_Library;
TF_CAPI_EXPORT TF_Library* TF_LoadLibrary(const char* library_filename, TF_Status* status);
/* A serialized OpList of what it defines; the bytes are the handle's. */
TF_CAPI_EXPORT TF_Buffer TF_GetOpList(TF_Library* lib_handle);
/* The handle alone: the ops stay. */
TF_CAPI_EXPORT void TF_DeleteLibraryHandle(TF_Library* lib_handle);

/* ---- not in this library ---- */

/* These are there so that hosts load. Those with a status answer UNIMPLEMENTED and
 * their name; results are null, 0 or -1; calls without a status do nothing. */

TF_CAPI_EXPORT TF_Session* TF_LoadSessionFromSavedModel(const TF_SessionOptions* session_options,
                                                        const TF_Buffer* run_options, const char* export_dir,
                                                        const char* const* tags, int tags_len, TF_Graph* graph,
                                                        TF_Buffer* meta_graph_def, TF_Status* status);

typedef struct TF_CheckpointReader TF_CheckpointReader;
TF_CAPI_EXPORT TF_CheckpointReader* TF_NewCheckpointReader(const char* filename, TF_Status* status);
TF_CAPI_EXPORT void TF_DeleteCheckpointReader(TF_CheckpointReader* reader);
TF_CAPI_EXPORT int TF_CheckpointReaderHasTensor(TF_CheckpointReader* reader, const char* name);
TF_CAPI_EXPORT const char* TF_CheckpointReaderGetVariable(TF_CheckpointReader* reader, int index);
TF_CAPI_EXPORT int TF_CheckpointReaderSize(TF_CheckpointReader* reader);
TF_CAPI_EXPORT TF_DataType TF_CheckpointReaderGetVariableDataType(TF_CheckpointReader* reader, const char* name);
TF_CAPI_EXPORT void TF_CheckpointReaderGetVariableShape(TF_CheckpointReader* reader, const char* name, int64_t* dims,
                                                        int num_dims, TF_Status* status);
TF_CAPI_EXPORT int TF_CheckpointReaderGetVariableNumDims(TF_CheckpointReader* reader, const char* name);
TF_CAPI_EXPORT TF_Tensor* TF_CheckpointReaderGetTensor(TF_CheckpointReader* reader, const char* name,
                                                       TF_Status* status);

typedef struct TF_DeprecatedSession TF_DeprecatedSession;
TF_CAPI_EXPORT void TF_ExtendGraph(TF_DeprecatedSession* session, const void* proto, size_t proto_len,
                                   TF_Status* status);

typedef struct TF_Server TF_Server;
TF_CAPI_EXPORT TF_Server* TF_NewServer(const void* proto, size_t proto_len, TF_Status* status);
TF_CAPI_EXPORT void TF_ServerStart(TF_Server* server, TF_Status* status);
TF_CAPI_EXPORT void TF_ServerStop(TF_Server* server, TF_Status* status);
TF_CAPI_EXPORT void TF_ServerJoin(TF_Server* server, TF_Status* status);
TF_CAPI_EXPORT void TF_DeleteServer(TF_Server* server);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* MILLRACE_RUNTIME_C_API_C_API_H_ */
