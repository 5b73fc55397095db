// String tensors: elements of the C interface are TF_TString, ours std::string.
#pragma once

#include <span>
#include <string_view>

#include "millrace/devices/api/tensor.h"
#include "millrace/proto/value/status.h"
#include "millrace/runtime/c_api/c_api.h"

namespace millrace::c_api {

// What the element holds, in whichever form; valid as long as it is.
std::string_view ViewOf(const TF_TString& element);

// The tensor's elements, copied. InvalidArgument for an element that cannot be.
Result<Tensor> StringsOf(const TF_Tensor& tensor);

// A tensor of the C interface with copies of the elements, which go with it; null
// where memory is short.
TF_Tensor* NewStrings(const Tensor& strings);

// A TF_Tensor's content as a tensor of ours, copied; strings too. Unimplemented
// for resources and variants.
Result<Tensor> CopyOf(const TF_Tensor& tensor);
// The way back.
Result<TF_Tensor*> NewCopyOf(const Tensor& tensor);

}  // namespace millrace::c_api
