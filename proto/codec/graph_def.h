// GraphDef to and from its wire bytes.
#pragma once

#include <string>

#include "millrace/proto/value/bytes.h"
#include "millrace/proto/value/graph_def.h"
#include "millrace/proto/value/limits.h"
#include "millrace/proto/value/status.h"

namespace millrace {

// Tensor contents of any size stay where they are: views of `bytes`, kept alive
// by its owner (a null owner: `bytes` must outlive the graph). Fields that this
// project does not read are kept for Serialize. InvalidArgument for malformed
// bytes, ResourceExhausted past a limit; the node is named where one is to
// blame. Whether the graph makes sense is ops/graph's question.
Result<GraphDef> ParseGraphDef(const Bytes& bytes, const Limits& limits = {});

// Byte for byte what protobuf's deterministic serialization gives.
std::string SerializeGraphDef(const GraphDef& graph);

Result<NodeDef> ParseNodeDef(const Bytes& bytes, const Limits& limits = {});
std::string SerializeNodeDef(const NodeDef& node);

Result<FunctionLibrary> ParseFunctionLibrary(const Bytes& bytes, const Limits& limits = {});
std::string SerializeFunctionLibrary(const FunctionLibrary& library);

}  // namespace millrace
