// AttrValue to and from its wire bytes; a Plan stores attributes so.
#pragma once

#include <string>

#include "millrace/proto/value/attr.h"
#include "millrace/proto/value/bytes.h"
#include "millrace/proto/value/limits.h"
#include "millrace/proto/value/status.h"

namespace millrace {

// Contents of tensors are views of `bytes`.
Result<AttrValue> ParseAttr(const Bytes& bytes, const Limits& limits = {});
// Deterministic: equal values give equal bytes.
std::string SerializeAttr(const AttrValue& value);

}  // namespace millrace
