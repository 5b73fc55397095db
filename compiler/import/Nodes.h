// From nodes of a live graph to operations.
#pragma once

#include "millrace/ops/graph/graph.h"
#include "millrace/proto/value/status.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Operation.h"

namespace millrace::compiler {

// What a reference refers to, when `controls` are done.
mlir::Value createRead(mlir::OpBuilder &builder, mlir::Value ref, mlir::Location loc,
                       mlir::ValueRange controls);

// The operation of `node`, at its name, with the node's attributes. `inputs` has a
// value for each of its inputs; references are read where it wants plain tensors.
// With `waitedFor`, it has a control result. InvalidArgument, blamed on the node,
// for a plain tensor where a reference is wanted and for attributes that have no
// form in the dialect.
Result<mlir::Operation *> createOperation(mlir::OpBuilder &builder, const Node &node,
                                          mlir::ValueRange inputs, mlir::ValueRange controls,
                                          bool waitedFor);

} // namespace millrace::compiler
