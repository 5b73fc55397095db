/* Contexts and tensor handles. */
#include "millrace/runtime/c_api/eager.h"
#include "millrace/tests/runtime/c_api_check.h"

static TF_Status* status;

static void Contexts(void) {
  TFE_ContextOptions* options = TFE_NewContextOptions();
  TFE_ContextOptionsSetAsync(options, 1);
  TFE_ContextOptionsSetDevicePlacementPolicy(options, TFE_DEVICE_PLACEMENT_SILENT);
  TFE_ContextOptionsSetConfig(options, "\x0a\xff", 2, status); /* cut short */
  CHECK(TF_GetCode(status) != TF_OK);
  TFE_ContextOptionsSetConfig(options,
                              "\x0a\x07\x0a\x03"
                              "CPU\x10\x02",
                              9, status); /* device_count { CPU: 2 } */
  CHECK_OK(status);
  TFE_Context* context = TFE_NewContext(options, status);
  CHECK_OK(status);
  TFE_DeleteContextOptions(options);
  TF_DeviceList* devices = TFE_ContextListDevices(context, status);
  CHECK_OK(status);
  CHECK(TF_DeviceListCount(devices) == 2);
  CHECK(strstr(TF_DeviceListName(devices, 1, status), "device:CPU:1") != NULL);
  TF_DeleteDeviceList(devices);

  const float value = 3;
  TF_Tensor* tensor = TF_AllocateTensor(TF_FLOAT, NULL, 0, sizeof value);
  memcpy(TF_TensorData(tensor), &value, sizeof value);
  TFE_TensorHandle* handle = TFE_NewTensorHandle(tensor, status);
  CHECK_OK(status);
  TF_DeleteTensor(tensor);
  TFE_TensorHandle* copy = TFE_TensorHandleCopyToDevice(handle, context, "CPU:1", status);
  CHECK_OK(status);
  CHECK(strstr(TFE_TensorHandleDeviceName(handle, status), "device:CPU:0") != NULL);
  CHECK(strstr(TFE_TensorHandleDeviceName(copy, status), "device:CPU:1") != NULL);
  CHECK(strstr(TFE_TensorHandleBackingDeviceName(copy, status), "CPU") != NULL);
  CHECK(TFE_TensorHandleCopyToDevice(handle, context, "GPU:0", status) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "/job:localhost/replica:0/task:0/device:CPU:1");
  CHECK(TFE_TensorHandleCopyToDevice(handle, context, "CPU:one", status) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "CPU:one");
  TFE_DeleteContext(context);
  TFE_DeleteTensorHandle(handle);

  tensor = TFE_TensorHandleResolve(copy, status);
  CHECK_OK(status);
  TFE_DeleteTensorHandle(copy);
  CHECK(tensor != NULL && *(const float*)TF_TensorData(tensor) == 3);
  TF_DeleteTensor(tensor);
  context = TFE_NewContext(NULL, status);
  CHECK_OK(status);
  TFE_DeleteContext(context);
}

static void Handles(void) {
  const int64_t dims[] = {2, 1};
  TF_Tensor* tensor = TF_AllocateTensor(TF_STRING, dims, 2, 2 * sizeof(TF_TString));
  TF_TString* elements = TF_TensorData(tensor);
  TF_TString_Init(&elements[0]);
  TF_TString_Copy(&elements[0], "a string that is too long to stand in place", 43);
  TF_TString_AssignView(&elements[1], "b", 1);
  TFE_TensorHandle* handle = TFE_NewTensorHandle(tensor, status);
  CHECK_OK(status);
  TF_TString_Dealloc(&elements[0]);
  TF_DeleteTensor(tensor);
  CHECK(TFE_TensorHandleDataType(handle) == TF_STRING);
  CHECK(TFE_TensorHandleNumDims(handle, status) == 2);
  CHECK(TFE_TensorHandleNumElements(handle, status) == 2);
  CHECK(TFE_TensorHandleDim(handle, 0, status) == 2);
  CHECK_OK(status);
  CHECK(TFE_TensorHandleDim(handle, 2, status) == -1);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "one of 2 dimensions, found 2");
  TFE_TensorHandle* other = TFE_TensorHandleCopySharingTensor(handle, status);
  TFE_DeleteTensorHandle(handle);
  tensor = TFE_TensorHandleResolve(other, status);
  CHECK_OK(status);
  TFE_DeleteTensorHandle(other);
  const TF_TString* results = TF_TensorData(tensor);
  CHECK(TF_TString_GetSize(&results[0]) == 43 && TF_TString_GetCapacity(&results[0]) >= 43);
  CHECK(memcmp(TF_TString_GetDataPointer(&results[0]), "a string", 8) == 0);
  CHECK(TF_TString_GetType(&results[1]) == TF_TSTR_SMALL);
  TF_DeleteTensor(tensor);
}

static void Nothing(void) {
  CHECK(TFE_NewTensorHandle(NULL, status) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "found null");
  CHECK(TFE_TensorHandleNumDims(NULL, status) == -1);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "found null");
  CHECK(TFE_TensorHandleNumElements(NULL, status) == -1);
  CHECK(TFE_TensorHandleDim(NULL, 0, status) == -1);
  CHECK(TFE_TensorHandleDeviceName(NULL, status) == NULL);
  CHECK(TFE_TensorHandleResolve(NULL, status) == NULL);
  CHECK(TFE_TensorHandleCopySharingTensor(NULL, status) == NULL);
  CHECK_ERROR(status, TF_INVALID_ARGUMENT, "found null");
  TFE_DeleteTensorHandle(NULL);
  TFE_DeleteContext(NULL);
  TFE_DeleteContextOptions(NULL);
}

int main(void) {
  status = TF_NewStatus();
  Contexts();
  Handles();
  Nothing();
  CHECK(TF_AllocateTensor(TF_INT4, NULL, 0, 1) == NULL); /* a number that hosts know, and no more */
  TF_DeleteStatus(status);
  return Report();
}
