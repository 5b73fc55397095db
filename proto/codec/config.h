// ConfigProto, RunOptions and RunMetadata to and from their wire bytes.
#pragma once

#include <string>

#include "millrace/proto/value/bytes.h"
#include "millrace/proto/value/config.h"
#include "millrace/proto/value/limits.h"
#include "millrace/proto/value/status.h"

namespace millrace {

// InvalidArgument for malformed bytes; fields that the value does not name are
// kept for Serialize, which writes them after the others.
Result<ConfigValue> ParseConfig(const Bytes& bytes, const Limits& limits = {});
std::string SerializeConfig(const ConfigValue& config);

Result<RunOptionsValue> ParseRunOptions(const Bytes& bytes, const Limits& limits = {});
std::string SerializeRunOptions(const RunOptionsValue& options);

// Times are written in microseconds and in nanoseconds, as readers of either
// expect.
std::string SerializeRunMetadata(const RunMetadataValue& metadata);

}  // namespace millrace
