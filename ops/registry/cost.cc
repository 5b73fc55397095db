#include "millrace/ops/registry/cost.h"

namespace millrace {
namespace {

bool Truth(const AttrMap& attrs, const char* name) {
  const auto it = attrs.find(name);
  const bool* value = it == attrs.end() ? nullptr : it->second.get<bool>();
  return value != nullptr && *value;
}

// The extent that a product sums over: the last axis of its first operand, or the
// one before where that is transposed.
double Depth(const TensorView& a, bool transposed) {
  if (a.rank < 2) return 0;
  return static_cast<double>(a.dims[a.rank - (transposed ? 2 : 1)]);
}

double Elements(const TensorView& t) { return static_cast<double>(t.num_elements); }

// Multiply-adds behind one element of a convolution's result: the filter without
// its last axis, and without the channels where each is by itself.
double Window(const TensorView& filter, bool depthwise) {
  const int axes = filter.rank - (depthwise ? 2 : 1);
  if (filter.rank < 3) return 0;
  double window = 1;
  for (int d = 0; d < axes; ++d) window *= static_cast<double>(filter.dims[d]);
  return window;
}

}  // namespace

double FloatingPointOps(std::string_view op, const AttrMap& attrs, std::span<const TensorView> inputs,
                        std::span<const TensorView> outputs) {
  if (inputs.size() < 2 || outputs.empty()) return 0;
  if (op == "MatMul" || op == "_FusedMatMul") {
    return 2 * Elements(outputs[0]) * Depth(inputs[0], Truth(attrs, "transpose_a"));
  }
  if (op == "BatchMatMul" || op == "BatchMatMulV2" || op == "BatchMatMulV3") {
    return 2 * Elements(outputs[0]) * Depth(inputs[0], Truth(attrs, "adj_x"));
  }
  const bool depthwise = op.find("Depthwise") != op.npos;
  const bool convolution = depthwise || op.find("Conv2D") != op.npos || op.find("Conv3D") != op.npos;
  if (!convolution) return 0;
  // Every element of the forward result meets every element of its window, in
  // the gradients too.
  if (op.find("BackpropInput") != op.npos) {
    return inputs.size() < 3 ? 0 : 2 * Elements(inputs[2]) * Window(inputs[1], depthwise);
  }
  if (op.find("BackpropFilter") != op.npos) {
    return inputs.size() < 3 ? 0 : 2 * Elements(inputs[2]) * Window(outputs[0], depthwise);
  }
  return 2 * Elements(outputs[0]) * Window(inputs[1], depthwise);
}

}  // namespace millrace
