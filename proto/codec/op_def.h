// OpDef and OpList to and from their wire bytes.
#pragma once

#include <string>
#include <vector>

#include "millrace/proto/value/bytes.h"
#include "millrace/proto/value/graph_def.h"
#include "millrace/proto/value/limits.h"
#include "millrace/proto/value/status.h"

namespace millrace {

Result<OpDefValue> ParseOpDef(const Bytes& bytes, const Limits& limits = {});
std::string SerializeOpDef(const OpDefValue& op);

Result<std::vector<OpDefValue>> ParseOpList(const Bytes& bytes, const Limits& limits = {});
std::string SerializeOpList(const std::vector<OpDefValue>& ops);

}  // namespace millrace
