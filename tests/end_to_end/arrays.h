// The arrays that recorded models come with: NPY, NPZ, and strings as JSON.
#pragma once

#include <map>
#include <string>

#include "millrace/devices/api/tensor.h"
#include "millrace/proto/value/status.h"

namespace millrace::end_to_end {

// The array in `path`; `dtype` says what 16-bit integers stand for (bfloat16).
Result<Tensor> ReadArray(const std::string& path, const std::string& dtype);
// Every array of an NPZ file, by name without ".npy".
Result<std::map<std::string, Tensor>> ReadNpz(const std::string& path);
// Row `index` of the first dimension.
Result<Tensor> Slice(const Tensor& tensor, int64_t index);
// `tensor` with its bits taken for another type of the same size.
Tensor WithType(const Tensor& tensor, DType dtype);

}  // namespace millrace::end_to_end
