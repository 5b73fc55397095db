// TensorProto and TensorShapeProto to and from value types.
#pragma once

#include <string>

#include "millrace/proto/value/attr.h"
#include "millrace/proto/value/bytes.h"
#include "millrace/proto/value/limits.h"
#include "millrace/proto/value/status.h"
#include "millrace/proto/value/tensor_value.h"

namespace millrace {

// The tensor as the wire has it; nothing is checked beyond the wire's grammar
// and the shape (Validate does the rest). `content` is a view of `bytes`.
Result<TensorValue> ParseTensor(const Bytes& bytes, const Limits& limits = {});
std::string SerializeTensor(const TensorValue& value);

Result<ShapeValue> ParseShape(const Bytes& bytes);
std::string SerializeShape(const ShapeValue& value);

}  // namespace millrace
