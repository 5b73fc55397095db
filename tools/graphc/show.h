// Tensors and graphs as short text.
#pragma once

#include <string>

#include "millrace/devices/api/tensor.h"
#include "millrace/proto/value/graph_def.h"

namespace millrace::graphc {

// "0.5"; "?" for types without a text.
std::string ShowElement(const Tensor& t, size_t i);
// "float[2,3] [1 2 3 4 5 6]"; long tensors are cut behind a few elements.
std::string Show(const Tensor& tensor);
// A line a node: "name = Op(inputs) {attributes}".
std::string Show(const GraphDef& graph);

}  // namespace millrace::graphc
