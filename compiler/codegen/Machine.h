// From MLIR's functions to an object file in memory.
#pragma once

#include "millrace/ops/kernel/isa.h"
#include "millrace/proto/value/status.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"

namespace mlir {
class DialectRegistry;
}

namespace millrace::codegen {

// The dialects that lowering writes and what their way to LLVM needs.
void registerDialects(mlir::DialectRegistry &registry);

// Lowers `module` in place to LLVM's dialect.
Status lowerToLlvm(mlir::ModuleOp module);

// A module of LLVM's dialect to an ELF object for x86-64-v3 (kAvx2) or x86-64-v4 (kAvx512). None of
// LLVM's passes over IR run: they cost several times what they gain.
Status compileToObject(mlir::ModuleOp module, Isa isa, llvm::SmallVectorImpl<char> &object);

} // namespace millrace::codegen
