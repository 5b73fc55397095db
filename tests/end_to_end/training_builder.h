// Gradients and updates that Millrace adds to a recorded graph without them.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "millrace/proto/value/graph_def.h"
#include "millrace/proto/value/status.h"

namespace millrace::end_to_end {

struct BuiltTraining {
  GraphDef graph;
  std::string init;
  std::vector<std::string> train;            // step i runs train[i % size]
  std::map<std::string, std::string> reads;  // the tensor of each variable, by its name
};

// `forward` stops at the loss; `model` is the case's entry in training.json,
// whose "optimizer" says what to add. Unimplemented for what this builder of
// tests does not know.
Result<BuiltTraining> BuildTraining(const GraphDef& forward, const nlohmann::json& model);

}  // namespace millrace::end_to_end
