// A graph in double: what CheckGradient works on.
#pragma once

#include <string>
#include <vector>

#include "millrace/devices/api/tensor.h"
#include "millrace/proto/value/graph_def.h"
#include "millrace/proto/value/status.h"

namespace millrace::numeric {

// double for half, bfloat16 and float, complex128 for complex64; others, and
// references to them, likewise or as they are.
DType Widened(DType type);
// The same numbers in Widened(dtype). An invalid tensor where memory is short.
Tensor Widened(const Tensor& tensor);
// The same nodes with wide types and constants. Ops that do not have them are
// found when the graph is imported.
Result<GraphDef> Widened(GraphDef def);

// The elements of a floating-point or complex tensor, real and imaginary parts
// one after the other; and back, rounded to `type`.
std::vector<double> Numbers(const Tensor& tensor);
Tensor FromNumbers(DType type, const Shape& shape, const std::vector<double>& numbers);

// What the nodes `roots` depend on, in the order of `def`.
GraphDef Pruned(const GraphDef& def, const std::vector<std::string>& roots);

}  // namespace millrace::numeric
