// Verifier of operations that come from the registry. Private to the dialect.
#pragma once

#include "millrace/ops/registry/op.h"
#include "mlir/IR/Operation.h"

namespace millrace::compiler {

// Counts and dtypes of operands and results against the op's signature, and the
// kinds of its attributes.
mlir::LogicalResult verifyAgainstSignature(mlir::Operation *op, const Op &def);
// graph.read, graph.dims, graph.alias.
mlir::LogicalResult verifyStructural(mlir::Operation *op);

} // namespace millrace::compiler
