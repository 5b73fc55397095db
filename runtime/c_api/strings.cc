// TF_TString, and string tensors both ways.
#include "millrace/runtime/c_api/strings.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "millrace/proto/value/strings.h"
#include "millrace/runtime/c_api/internal.h"

namespace {

static_assert(sizeof(TF_TString) == 24, "an element has 24 bytes in memory");
constexpr size_t kSmallCapacity = sizeof(TF_TString) - 2;  // a byte for the size, one for the zero at the end

TF_TString_Type TypeOf(const TF_TString* s) { return static_cast<TF_TString_Type>(s->u.raw.raw[0] & 3); }

// Room for `size` bytes and a zero; what was there is let go. Null where memory is short.
char* Resize(TF_TString* s, size_t size) {
  TF_StringDealloc(s);
  TF_StringInit(s);
  if (size <= kSmallCapacity) {
    s->u.smll.size = static_cast<uint8_t>(size << 2 | TF_TSTR_SMALL);
    s->u.smll.str[size] = 0;
    return s->u.smll.str;
  }
  const size_t capacity = (size + 1 + 15) / 16 * 16;
  char* const data = capacity < size ? nullptr : static_cast<char*>(std::malloc(capacity));
  if (data == nullptr) return nullptr;
  s->u.large.size = size << 2 | TF_TSTR_LARGE;
  s->u.large.cap = capacity - 1;
  s->u.large.ptr = data;
  data[size] = 0;
  return data;
}

}  // namespace

extern "C" {

void TF_StringInit(TF_TString* s) { std::memset(s, 0, sizeof *s); }

void TF_StringCopy(TF_TString* dst, const char* src, size_t size) {
  // `src` may be the element's own bytes.
  const std::string copy(src != nullptr ? src : "", src != nullptr ? size : 0);
  // Resize has put the zero behind it.
  if (char* const data = Resize(dst, copy.size()); data != nullptr) std::copy(copy.begin(), copy.end(), data);
}

void TF_StringAssignView(TF_TString* dst, const char* src, size_t size) {
  TF_StringDealloc(dst);
  TF_StringInit(dst);
  dst->u.view.size = size << 2 | TF_TSTR_VIEW;
  dst->u.view.ptr = src;
}

const char* TF_StringGetDataPointer(const TF_TString* s) { return millrace::c_api::ViewOf(*s).data(); }
TF_TString_Type TF_StringGetType(const TF_TString* s) { return TypeOf(s); }
size_t TF_StringGetSize(const TF_TString* s) { return millrace::c_api::ViewOf(*s).size(); }
size_t TF_StringGetCapacity(const TF_TString* s) {
  switch (TypeOf(s)) {
    case TF_TSTR_SMALL:
      return kSmallCapacity;
    case TF_TSTR_LARGE:
      return s->u.large.cap;
    default:
      return 0;
  }
}
void TF_StringDealloc(TF_TString* s) {
  if (TypeOf(s) == TF_TSTR_LARGE) {
    std::free(s->u.large.ptr);
    TF_StringInit(s);
  } else if (TypeOf(s) == TF_TSTR_VIEW) {
    TF_StringInit(s);
  }
}

}  // extern "C"

namespace millrace::c_api {

std::string_view ViewOf(const TF_TString& s) {
  switch (TypeOf(&s)) {
    case TF_TSTR_SMALL:
      return {s.u.smll.str, static_cast<size_t>(s.u.smll.size >> 2)};
    case TF_TSTR_LARGE:
      return {s.u.large.ptr, s.u.large.size >> 2};
    case TF_TSTR_OFFSET:
      return {reinterpret_cast<const char*>(&s) + s.u.offset.offset, s.u.offset.size >> 2};
    case TF_TSTR_VIEW:
      break;
  }
  return {s.u.view.ptr, s.u.view.size >> 2};
}

Result<Tensor> StringsOf(const TF_Tensor& tensor) {
  MR_ASSIGN_OR_RETURN(Tensor out, Tensor::New(DType::kString, Shape(tensor.view.shape()), HostAllocator()));
  const auto* from = static_cast<const TF_TString*>(tensor.view.data);
  const std::span<std::string> to = out.elements<std::string>();
  if (!to.empty() && tensor.bytes / sizeof(TF_TString) < to.size()) {
    return InvalidArgument(Cat("string tensor: expected ", to.size(), " elements of ", sizeof(TF_TString),
                               " bytes, found ", tensor.bytes, " bytes"));
  }
  for (size_t i = 0; i < to.size(); ++i) {
    const std::string_view bytes = ViewOf(from[i]);
    if (bytes.data() == nullptr && !bytes.empty()) {
      return InvalidArgument(Cat("string tensor: element ", i, ": expected ", bytes.size(), " bytes, found null"));
    }
    to[i] = bytes;
  }
  return out;
}

TF_Tensor* NewStrings(const Tensor& strings) {
  const std::span<const std::string> from = strings.elements<const std::string>();
  TF_Tensor* out =
      NewOwned(DType::kString, strings.shape().dims(), strings.num_elements(), from.size() * sizeof(TF_TString));
  if (out == nullptr) return nullptr;
  out->owns_strings = true;
  auto* to = static_cast<TF_TString*>(out->view.data);
  std::memset(static_cast<void*>(to), 0, out->bytes);
  for (size_t i = 0; i < from.size(); ++i) {
    TF_StringCopy(&to[i], from[i].data(), from[i].size());
    if (TF_StringGetSize(&to[i]) == from[i].size()) continue;
    TF_DeleteTensor(out);
    return nullptr;
  }
  return out;
}

Result<Tensor> CopyOf(const TF_Tensor& tensor) {
  if (tensor.view.dtype == DType::kString) return StringsOf(tensor);
  if (IsObject(tensor.view.dtype)) {
    return Unimplemented(Cat("tensors of ", DTypeName(tensor.view.dtype), " through the C interface"));
  }
  MR_ASSIGN_OR_RETURN(Tensor out, Tensor::New(tensor.view.dtype, Shape(tensor.view.shape()), HostAllocator()));
  if (out.bytes() != 0) std::memcpy(out.data(), tensor.view.data, out.bytes());
  return out;
}

Result<TF_Tensor*> NewCopyOf(const Tensor& tensor) {
  TF_Tensor* out = nullptr;
  if (tensor.dtype() == DType::kString) {
    out = NewStrings(tensor);
  } else if (IsObject(tensor.dtype())) {
    return Unimplemented(Cat("tensors of ", DTypeName(tensor.dtype()), " through the C interface"));
  } else {
    out = NewOwned(tensor.dtype(), tensor.shape().dims(), tensor.num_elements(), tensor.bytes());
    if (out != nullptr && tensor.bytes() != 0) std::memcpy(out->view.data, tensor.data(), tensor.bytes());
  }
  if (out == nullptr) return ResourceExhausted(Cat("no memory for a tensor of ", tensor.bytes(), " bytes"));
  return out;
}

}  // namespace millrace::c_api
