// NPZ: arrays by name, as numpy.savez and savez_compressed write them: a zip archive
// whose members are NPY files, stored as they are or deflated.
#pragma once

#include <map>
#include <string>

#include "millrace/devices/api/tensor.h"
#include "millrace/proto/value/limits.h"
#include "millrace/proto/value/status.h"

namespace millrace {

// The arrays in `path` by their names (without ".npy"): mapped, not copied, where they
// are stored as they are and aligned. Types as in npy.h. NotFound; InvalidArgument
// where it is no such archive, naming the member, also where it says that it is larger
// than its compressed bytes can be; ResourceExhausted for members past tensor_bytes.
// Both are seen before memory is taken. Checksums of the archive are not looked at.
Result<std::map<std::string, Tensor>> ReadNpz(const std::string& path, const Limits& limits = {});

// The same from bytes that `bytes` keeps alive; `name` is for messages.
Result<std::map<std::string, Tensor>> ParseNpz(const Buffer& bytes, const std::string& name, const Limits& limits = {});

}  // namespace millrace
