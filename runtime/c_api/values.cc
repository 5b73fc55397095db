#include "millrace/runtime/c_api/values.h"

#include <algorithm>

#include "millrace/proto/value/strings.h"
#include "millrace/runtime/c_api/strings.h"

namespace millrace::c_api {
namespace {

Result<std::string> NameOf(const TF_Output& output, std::string_view what) {
  if (output.oper == nullptr) return InvalidArgument(Cat(what, ": expected a node, found null"));
  const Node* node = ToNode(output.oper);
  if (output.index < 0 || output.index >= node->num_outputs()) {
    return OutOfRange(
        Cat(what, ": node '", node->name(), "' has ", node->num_outputs(), " outputs, found index ", output.index));
  }
  return Cat(node->name(), ":", output.index);
}

}  // namespace

Result<std::vector<std::string>> NamesOf(std::span<const TF_Output> outputs, std::string_view what) {
  std::vector<std::string> names;
  for (const TF_Output& output : outputs) {
    MR_ASSIGN_OR_RETURN(names.emplace_back(), NameOf(output, what));
  }
  return names;
}

Result<std::vector<std::string>> TargetNames(std::span<const TF_Operation* const> targets) {
  std::vector<std::string> names;
  for (const TF_Operation* target : targets) {
    if (target == nullptr) return InvalidArgument("target: expected a node, found null");
    names.push_back(ToNode(target)->name());
  }
  return names;
}

Result<TensorView> ViewOf(const TF_Tensor* value, std::string_view feed, std::forward_list<Tensor>* copies) {
  if (value == nullptr) return InvalidArgument(Cat("feed '", feed, "': expected a tensor, found null"));
  if (!IsObject(value->view.dtype)) return value->view;
  Result<Tensor> copy = CopyOf(*value);
  if (!copy.ok()) return Status(copy.status().code(), Cat("feed '", feed, "': ", copy.status().message()));
  copies->push_front(*std::move(copy));
  return copies->front().view();
}

Status TensorSink::Place(size_t i, DType dtype, std::span<const int64_t> dims, void** data) {
  int64_t elements = 1;
  for (int64_t d : dims) elements *= d;
  return Allocate(i, dtype, dims, elements, data);
}

Status TensorSink::Take(size_t i, Tensor tensor, bool exclusive) {
  if (IsObject(tensor.dtype())) {
    Result<TF_Tensor*> copy = NewCopyOf(tensor);
    if (!copy.ok()) return Status(copy.status().code(), Cat("fetch ", i, ": ", copy.status().message()));
    out_[i] = *copy;
    return OkStatus();
  }
  if (exclusive) {
    out_[i] = NewHolding(std::move(tensor));
    return out_[i] != nullptr ? OkStatus() : ResourceExhausted("no memory for a result");
  }
  void* data = nullptr;
  MR_RETURN_IF_ERROR(Allocate(i, tensor.dtype(), tensor.shape().dims(), tensor.num_elements(), &data));
  if (tensor.bytes() != 0)
    std::copy_n(static_cast<const char*>(tensor.data()), tensor.bytes(), static_cast<char*>(data));
  return OkStatus();
}

Status TensorSink::Allocate(size_t i, DType dtype, std::span<const int64_t> dims, int64_t elements, void** data) {
  const size_t bytes = static_cast<size_t>(elements) * ElementSize(dtype);
  out_[i] = NewOwned(dtype, dims, elements, bytes);
  if (out_[i] == nullptr) return ResourceExhausted(Cat("no memory for a result of ", bytes, " bytes"));
  *data = out_[i]->view.data;
  return OkStatus();
}

void DropResults(TF_Tensor** out, int count) {
  for (int i = 0; i < count; ++i) {
    TF_DeleteTensor(out[i]);
    out[i] = nullptr;
  }
}

}  // namespace millrace::c_api
