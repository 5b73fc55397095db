// NPZ: arrays by name, as numpy.savez writes them: a zip archive whose members are
// NPY files, stored as they are.
#pragma once

#include <map>
#include <string>

#include "millrace/devices/api/tensor.h"
#include "millrace/proto/value/status.h"

namespace millrace {

// The arrays in `path` by their names (without ".npy"), mapped, not copied, where
// their data is aligned. Types as in npy.h. NotFound; InvalidArgument where it is
// no such archive or a member is compressed (numpy.savez_compressed), naming the
// member. Checksums of the archive are not looked at.
Result<std::map<std::string, Tensor>> ReadNpz(const std::string& path);

// The same from bytes that `bytes` keeps alive; `name` is for messages.
Result<std::map<std::string, Tensor>> ParseNpz(const Buffer& bytes, const std::string& name);

}  // namespace millrace
