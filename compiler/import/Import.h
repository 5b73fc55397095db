// Import: the part of a live graph that signatures reach, as graph dialect.
#pragma once

#include "millrace/compiler/api/compile.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace millrace::compiler {

// A module with one function for each signature. Its arguments are the feeds,
// its results the fetches and, as control values, the targets; their names are
// attributes of the function. The context has the graph dialect, whose state
// takes the registry of the graph. Errors name the tensor or the node. Linear in
// what is reached.
Result<mlir::OwningOpRef<mlir::ModuleOp>> importGraph(mlir::MLIRContext &context,
                                                      const Graph &graph,
                                                      const std::vector<SignatureSpec> &signatures);

} // namespace millrace::compiler
