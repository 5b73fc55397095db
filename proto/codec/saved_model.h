// SavedModel (saved_model.pb) to and from its wire bytes.
#pragma once

#include <string>

#include "millrace/proto/value/bytes.h"
#include "millrace/proto/value/limits.h"
#include "millrace/proto/value/meta_graph.h"
#include "millrace/proto/value/status.h"

namespace millrace {

// As ParseGraphDef, whose rules hold for the graphs inside.
Result<SavedModel> ParseSavedModel(const Bytes& bytes, const Limits& limits = {});
std::string SerializeSavedModel(const SavedModel& model);

}  // namespace millrace
