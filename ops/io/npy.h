// NPY: arrays as NumPy writes them (format versions 1.0 and 2.0, C order,
// little-endian).
#pragma once

#include <string>

#include "millrace/devices/api/tensor.h"
#include "millrace/proto/value/status.h"

namespace millrace {

// The array in `path`, mapped, not copied, where its data is aligned. Types:
// float16 to float64, signed and unsigned integers, bool, complex64 and
// complex128. NotFound; InvalidArgument where it is no such file, naming what
// was found (Fortran order, big-endian, object arrays and short files too).
Result<Tensor> ReadNpy(const std::string& path);

// The same from bytes that `bytes` keeps alive; `name` is for messages.
Result<Tensor> ParseNpy(const Buffer& bytes, const std::string& name);

// Writes `tensor` (of a type above; bfloat16 as its bits, uint16) to `path`, which
// appears, or is replaced, whole or not at all (WriteWholeFile, whose errors these
// are). InvalidArgument for other types.
Status WriteNpy(const std::string& path, const Tensor& tensor);

}  // namespace millrace
