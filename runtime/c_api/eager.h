/* Tensors by handle and what they are on, as hosts with calls for running ops one by one
 * know them: the part of those calls that is about values. Ops are not run one by one
 * here, so a value is always there when its handle is, and always in the host's memory.
 * Names and argument lists are those hosts link against. Calls on one handle or context
 * are thread-safe but for its deletion. */
#ifndef MILLRACE_RUNTIME_C_API_EAGER_H_
#define MILLRACE_RUNTIME_C_API_EAGER_H_

#include "millrace/runtime/c_api/c_api.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- contexts ---- */

typedef struct TFE_ContextOptions TFE_ContextOptions;
typedef struct TFE_Context TFE_Context;
typedef enum TFE_ContextDevicePlacementPolicy {
  TFE_DEVICE_PLACEMENT_EXPLICIT = 0,
  TFE_DEVICE_PLACEMENT_WARN = 1,
  TFE_DEVICE_PLACEMENT_SILENT = 2,
  TFE_DEVICE_PLACEMENT_SILENT_FOR_INT32 = 3
} TFE_ContextDevicePlacementPolicy;

TF_CAPI_EXPORT TFE_ContextOptions* TFE_NewContextOptions(void);
TF_CAPI_EXPORT void TFE_DeleteContextOptions(TFE_ContextOptions* options);
/* A serialized ConfigProto, as for TF_SetConfig: its device_count says what devices the
 * context has. */
TF_CAPI_EXPORT void TFE_ContextOptionsSetConfig(TFE_ContextOptions* options, const void* proto, size_t proto_len,
                                                TF_Status* status);
/* Both are about running ops, and change nothing. */
TF_CAPI_EXPORT void TFE_ContextOptionsSetAsync(TFE_ContextOptions* options, unsigned char enable);
TF_CAPI_EXPORT void TFE_ContextOptionsSetDevicePlacementPolicy(TFE_ContextOptions* options,
                                                               TFE_ContextDevicePlacementPolicy policy);

/* Null with an error in `status`. The options may be deleted. */
TF_CAPI_EXPORT TFE_Context* TFE_NewContext(const TFE_ContextOptions* options, TF_Status* status);
TF_CAPI_EXPORT void TFE_DeleteContext(TFE_Context* context);
/* The caller's, as from TF_SessionListDevices. */
TF_CAPI_EXPORT TF_DeviceList* TFE_ContextListDevices(TFE_Context* context, TF_Status* status);

/* ---- handles ---- */

typedef struct TFE_TensorHandle TFE_TensorHandle;

/* Of a copy of the tensor. Null with RESOURCE_EXHAUSTED where memory is short, or
 * INVALID_ARGUMENT for strings that cannot be read. */
TF_CAPI_EXPORT TFE_TensorHandle* TFE_NewTensorHandle(const TF_Tensor* tensor, TF_Status* status);
TF_CAPI_EXPORT void TFE_DeleteTensorHandle(TFE_TensorHandle* handle);
TF_CAPI_EXPORT TF_DataType TFE_TensorHandleDataType(TFE_TensorHandle* handle);
/* Of these, -1 and INVALID_ARGUMENT for a null handle and a dimension that is not there. */
TF_CAPI_EXPORT int TFE_TensorHandleNumDims(TFE_TensorHandle* handle, TF_Status* status);
TF_CAPI_EXPORT int64_t TFE_TensorHandleNumElements(TFE_TensorHandle* handle, TF_Status* status);
TF_CAPI_EXPORT int64_t TFE_TensorHandleDim(TFE_TensorHandle* handle, int dim_index, TF_Status* status);
/* The device it was copied to, or the host's: in full, as long as the handle lives. Its
 * memory is the host's. */
TF_CAPI_EXPORT const char* TFE_TensorHandleDeviceName(TFE_TensorHandle* handle, TF_Status* status);
TF_CAPI_EXPORT const char* TFE_TensorHandleBackingDeviceName(TFE_TensorHandle* handle, TF_Status* status);
/* Another handle of the same value. */
TF_CAPI_EXPORT TFE_TensorHandle* TFE_TensorHandleCopySharingTensor(TFE_TensorHandle* handle, TF_Status* status);
/* Another handle of the same value, on a device of the context's, in full or shorter
 * ("CPU:0"). INVALID_ARGUMENT lists the devices where it is none of them. */
TF_CAPI_EXPORT TFE_TensorHandle* TFE_TensorHandleCopyToDevice(TFE_TensorHandle* handle, TFE_Context* context,
                                                              const char* device_name, TF_Status* status);
/* The value, for TF_DeleteTensor. It may share memory with the handle: not to be changed. */
TF_CAPI_EXPORT TF_Tensor* TFE_TensorHandleResolve(TFE_TensorHandle* handle, TF_Status* status);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* MILLRACE_RUNTIME_C_API_EAGER_H_ */
