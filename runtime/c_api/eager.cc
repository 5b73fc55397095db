// TFE_Context, TFE_TensorHandle: values by handle.
#include "millrace/runtime/c_api/eager.h"

#include <algorithm>
#include <string>
#include <vector>

#include "millrace/proto/value/device_name.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/c_api/config.h"
#include "millrace/runtime/c_api/internal.h"
#include "millrace/runtime/c_api/strings.h"
#include "millrace/runtime/c_api/values.h"

struct TFE_ContextOptions {
  millrace::SessionOptions options;
};

struct TFE_Context {
  std::vector<std::string> devices;  // in full
};

struct TFE_TensorHandle {
  millrace::Tensor value;
  std::string device;
};

namespace millrace::c_api {
namespace {

std::string HostName() { return FullDeviceName("CPU", 0); }

Status CheckHandle(const TFE_TensorHandle* handle) {
  return handle != nullptr ? OkStatus() : InvalidArgument("expected a tensor handle, found null");
}

Result<std::vector<std::string>> DevicesOf(const SessionOptions& options) {
  MR_ASSIGN_OR_RETURN(const std::unique_ptr<Session> session, Session::New(std::make_shared<Graph>(), options));
  return session->device_names();
}

Result<int64_t> DimOf(const TFE_TensorHandle* handle, int index) {
  MR_RETURN_IF_ERROR(CheckHandle(handle));
  const int rank = handle->value.shape().rank();
  if (index < 0 || index >= rank) return InvalidArgument(Cat("expected one of ", rank, " dimensions, found ", index));
  return handle->value.shape().dim(index);
}

Result<TFE_TensorHandle*> CopyTo(const TFE_TensorHandle* handle, const TFE_Context& context, const char* device) {
  MR_RETURN_IF_ERROR(CheckHandle(handle));
  if (device == nullptr) return InvalidArgument("expected the name of a device, found null");
  MR_ASSIGN_OR_RETURN(const DeviceName wanted, DeviceName::Parse(device));
  for (const std::string& name : context.devices) {
    MR_ASSIGN_OR_RETURN(const DeviceName there, DeviceName::Parse(name));
    if (wanted.Matches(there.kind, there.ordinal)) return new TFE_TensorHandle{handle->value, name};
  }
  return InvalidArgument(
      Cat("'", device, "' is none of the context's devices, which are ", Join(context.devices, ", ")));
}

Result<TF_Tensor*> Resolve(const TFE_TensorHandle* handle) {
  MR_RETURN_IF_ERROR(CheckHandle(handle));
  TF_Tensor* tensor = nullptr;
  MR_RETURN_IF_ERROR(TensorSink(&tensor).Take(0, handle->value, /*exclusive=*/true));
  return tensor;
}

// The value, or `otherwise` and an error in `status`.
template <typename T>
T Give(const Result<T>& result, T otherwise, TF_Status* status) {
  Set(status, result.status());
  return result.ok() ? *result : otherwise;
}

}  // namespace
}  // namespace millrace::c_api

using millrace::c_api::CheckHandle;
using millrace::c_api::Give;
using millrace::c_api::Set;

extern "C" {

TFE_ContextOptions* TFE_NewContextOptions(void) { return new TFE_ContextOptions; }
void TFE_DeleteContextOptions(TFE_ContextOptions* options) { delete options; }
void TFE_ContextOptionsSetConfig(TFE_ContextOptions* options, const void* proto, size_t proto_len, TF_Status* status) {
  Set(status, millrace::c_api::ApplyConfig({static_cast<const char*>(proto), proto_len}, &options->options));
}
void TFE_ContextOptionsSetAsync(TFE_ContextOptions*, unsigned char) {}
void TFE_ContextOptionsSetDevicePlacementPolicy(TFE_ContextOptions*, TFE_ContextDevicePlacementPolicy) {}

TFE_Context* TFE_NewContext(const TFE_ContextOptions* options, TF_Status* status) {
  auto devices = millrace::c_api::DevicesOf(options != nullptr ? options->options : millrace::SessionOptions());
  Set(status, devices.status());
  return devices.ok() ? new TFE_Context{*std::move(devices)} : nullptr;
}
void TFE_DeleteContext(TFE_Context* context) { delete context; }
TF_DeviceList* TFE_ContextListDevices(TFE_Context* context, TF_Status* status) {
  Set(status, millrace::OkStatus());
  return millrace::c_api::NewDeviceList(context->devices);
}

TFE_TensorHandle* TFE_NewTensorHandle(const TF_Tensor* tensor, TF_Status* status) {
  auto copy =
      tensor != nullptr ? millrace::c_api::CopyOf(*tensor) : millrace::InvalidArgument("expected a tensor, found null");
  Set(status, copy.status());
  return copy.ok() ? new TFE_TensorHandle{*std::move(copy), millrace::c_api::HostName()} : nullptr;
}
void TFE_DeleteTensorHandle(TFE_TensorHandle* handle) { delete handle; }
TF_DataType TFE_TensorHandleDataType(TFE_TensorHandle* handle) {
  return static_cast<TF_DataType>(handle->value.dtype());
}
int TFE_TensorHandleNumDims(TFE_TensorHandle* handle, TF_Status* status) {
  Set(status, CheckHandle(handle));
  return handle != nullptr ? handle->value.shape().rank() : -1;
}
int64_t TFE_TensorHandleNumElements(TFE_TensorHandle* handle, TF_Status* status) {
  Set(status, CheckHandle(handle));
  return handle != nullptr ? handle->value.num_elements() : -1;
}
int64_t TFE_TensorHandleDim(TFE_TensorHandle* handle, int dim_index, TF_Status* status) {
  return Give<int64_t>(millrace::c_api::DimOf(handle, dim_index), -1, status);
}
const char* TFE_TensorHandleDeviceName(TFE_TensorHandle* handle, TF_Status* status) {
  Set(status, CheckHandle(handle));
  return handle != nullptr ? handle->device.c_str() : nullptr;
}
const char* TFE_TensorHandleBackingDeviceName(TFE_TensorHandle* handle, TF_Status* status) {
  return TFE_TensorHandleDeviceName(handle, status);
}
TFE_TensorHandle* TFE_TensorHandleCopySharingTensor(TFE_TensorHandle* handle, TF_Status* status) {
  Set(status, CheckHandle(handle));
  return handle != nullptr ? new TFE_TensorHandle(*handle) : nullptr;
}
TFE_TensorHandle* TFE_TensorHandleCopyToDevice(TFE_TensorHandle* handle, TFE_Context* context, const char* device_name,
                                               TF_Status* status) {
  return Give<TFE_TensorHandle*>(millrace::c_api::CopyTo(handle, *context, device_name), nullptr, status);
}
TF_Tensor* TFE_TensorHandleResolve(TFE_TensorHandle* handle, TF_Status* status) {
  return Give<TF_Tensor*>(millrace::c_api::Resolve(handle), nullptr, status);
}

}  // extern "C"
