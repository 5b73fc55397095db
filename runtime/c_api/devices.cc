// TF_DeviceList: what a session or a context has.
#include <string>
#include <vector>

#include "millrace/proto/value/device_name.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/c_api/internal.h"
#include "millrace/runtime/c_api/session.h"

struct TF_DeviceList {
  struct Device {
    std::string name, type;
    int64_t memory_bytes;
    uint64_t incarnation;
  };
  std::vector<Device> devices;
};

namespace {

// Null with an error where there is no such device.
const TF_DeviceList::Device* At(const TF_DeviceList* list, int index, TF_Status* status) {
  const bool there = list != nullptr && index >= 0 && static_cast<size_t>(index) < list->devices.size();
  millrace::c_api::Set(status, there ? millrace::OkStatus()
                                     : millrace::InvalidArgument(
                                           millrace::Cat("expected one of ", list == nullptr ? 0 : list->devices.size(),
                                                         " devices, found number ", index)));
  return there ? &list->devices[static_cast<size_t>(index)] : nullptr;
}

}  // namespace

TF_DeviceList* millrace::c_api::NewDeviceList(const std::vector<std::string>& names) {
  auto* list = new TF_DeviceList;
  for (const std::string& name : names) {
    const Result<DeviceName> parsed = DeviceName::Parse(name);
    // As much memory as hosts are used to see for the processor; no limit follows.
    list->devices.push_back({name, parsed.ok() ? parsed->kind : "", int64_t{256} << 20, list->devices.size() + 1});
  }
  return list;
}

extern "C" {

TF_DeviceList* TF_SessionListDevices(TF_Session* session, TF_Status* status) {
  millrace::c_api::Set(status, millrace::OkStatus());
  return millrace::c_api::NewDeviceList(session->session->device_names());
}
void TF_DeleteDeviceList(TF_DeviceList* list) { delete list; }
int TF_DeviceListCount(const TF_DeviceList* list) { return static_cast<int>(list->devices.size()); }
const char* TF_DeviceListName(const TF_DeviceList* list, int index, TF_Status* status) {
  const TF_DeviceList::Device* device = At(list, index, status);
  return device != nullptr ? device->name.c_str() : nullptr;
}
const char* TF_DeviceListType(const TF_DeviceList* list, int index, TF_Status* status) {
  const TF_DeviceList::Device* device = At(list, index, status);
  return device != nullptr ? device->type.c_str() : nullptr;
}
int64_t TF_DeviceListMemoryBytes(const TF_DeviceList* list, int index, TF_Status* status) {
  const TF_DeviceList::Device* device = At(list, index, status);
  return device != nullptr ? device->memory_bytes : -1;
}
uint64_t TF_DeviceListIncarnation(const TF_DeviceList* list, int index, TF_Status* status) {
  const TF_DeviceList::Device* device = At(list, index, status);
  return device != nullptr ? device->incarnation : 0;
}

}  // extern "C"
