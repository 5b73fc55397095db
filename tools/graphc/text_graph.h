// GraphDefs as protobuf's text. The one place that needs protobuf.
#pragma once

#include <string>

#include "millrace/proto/value/graph_def.h"
#include "millrace/proto/value/limits.h"
#include "millrace/proto/value/status.h"

namespace millrace::graphc {

// Reads the text; InvalidArgument names line and column. The limits are those of the
// bytes that it stands for.
Result<GraphDef> GraphDefFromText(const std::string& text, const Limits& limits = {});

// InvalidArgument past the 2 GB that protobuf can hold. `left_out` is set where the
// graph has fields that the schema does not name, which the text cannot show.
Result<std::string> GraphDefToText(const GraphDef& graph, bool* left_out);

}  // namespace millrace::graphc
