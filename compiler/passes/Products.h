// Convolutions and matrix products as the passes see them that put neighbours
// into them: which axis of the result is the channels', and constants along it.
#pragma once

#include "millrace/compiler/dialect/Graph.h"

namespace millrace::compiler {

struct Product {
  mlir::Operation *op = nullptr;
  enum class Kind { kConv2D, kDepthwise, kMatMul } kind = Kind::kConv2D;
  int rank = 0;            // of the result
  int channelAxis = 0;     // of the result
  int64_t channels = -1;   // -1 where not known
  bool weightsLast = true; // channels are the last of the weights; first for a transposed matrix

  mlir::Value weights() const { return op->getOperand(1); }
};

// Conv2D, DepthwiseConv2dNative or MatMul of floats that waits for nothing.
std::optional<Product> productOf(mlir::Operation *op);

// `v` as one number a channel, or one for all: a constant that is 1 along every
// other axis of the result. Null where it is something else.
mlir::ElementsAttr channelConstant(mlir::Value v, const Product &product, bool *isScalar);

// The only operation that uses `v`, once; it waits for nothing and nothing uses
// any but its first result. Null otherwise.
mlir::Operation *onlyUser(mlir::Value v);

} // namespace millrace::compiler
