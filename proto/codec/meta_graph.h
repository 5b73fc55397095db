// MetaGraphDef to and from its wire bytes.
#pragma once

#include <string>

#include "millrace/proto/value/bytes.h"
#include "millrace/proto/value/limits.h"
#include "millrace/proto/value/meta_graph.h"
#include "millrace/proto/value/status.h"

namespace millrace {

// As ParseGraphDef, whose rules hold for the graph inside.
Result<MetaGraphDef> ParseMetaGraphDef(const Bytes& bytes, const Limits& limits = {});
std::string SerializeMetaGraphDef(const MetaGraphDef& meta_graph);

}  // namespace millrace
