// TF_Status, TF_Buffer, TF_Version.
#include <cstdlib>
#include <cstring>

#include "millrace/runtime/c_api/internal.h"

namespace millrace::c_api {

void Set(TF_Status* out, const Status& status) {
  if (out == nullptr) return;
  out->code = static_cast<TF_Code>(status.code());
  if (status.ok()) {
    out->message.clear();
    return;
  }
  // The code travels beside it, so the text is node and message.
  const std::string text = status.ToString();
  const std::string prefix = std::string(CodeName(status.code())) + ": ";
  out->message = text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

Status Fill(std::string_view bytes, TF_Buffer* out) {
  if (out == nullptr || out->data != nullptr) return InvalidArgument("expected an empty buffer to fill");
  void* copy = std::malloc(bytes.empty() ? 1 : bytes.size());
  if (copy == nullptr) return ResourceExhausted("no memory for a buffer");
  if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
  *out = {copy, bytes.size(), [](void* data, size_t) { std::free(data); }};
  return OkStatus();
}

}  // namespace millrace::c_api

extern "C" {

// Hosts look for the major number, and by the minor one for the layout of strings
// (since 2.4): both are those of the interface. Ours goes where a suffix may stand.
const char* TF_Version(void) { return "2.21.0-millrace." MILLRACE_VERSION; }

TF_Status* TF_NewStatus(void) { return new TF_Status; }
void TF_DeleteStatus(TF_Status* status) { delete status; }
void TF_SetStatus(TF_Status* status, TF_Code code, const char* message) {
  status->code = code;
  status->message = code == TF_OK || message == nullptr ? "" : message;
}
TF_Code TF_GetCode(const TF_Status* status) { return status->code; }
const char* TF_Message(const TF_Status* status) { return status->message.c_str(); }

TF_Buffer* TF_NewBuffer(void) { return new TF_Buffer{nullptr, 0, nullptr}; }
TF_Buffer* TF_NewBufferFromString(const void* bytes, size_t length) {
  void* copy = std::malloc(length != 0 ? length : 1);
  if (copy == nullptr) return nullptr;
  if (length != 0) std::memcpy(copy, bytes, length);
  return new TF_Buffer{copy, length, [](void* data, size_t) { std::free(data); }};
}
void TF_DeleteBuffer(TF_Buffer* buffer) {
  if (buffer == nullptr) return;
  if (buffer->data_deallocator != nullptr) {
    buffer->data_deallocator(const_cast<void*>(buffer->data), buffer->length);
  }
  delete buffer;
}
TF_Buffer TF_GetBuffer(TF_Buffer* buffer) { return *buffer; }

}  // extern "C"
