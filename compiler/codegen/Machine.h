// From MLIR's functions to an object file in memory.
#pragma once

#include "millrace/ops/kernel/isa.h"
#include "millrace/proto/value/status.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"

#include <memory>

namespace llvm {
class TargetMachine;
}
namespace mlir {
class DialectRegistry;
}

namespace millrace::codegen {

// The dialects that lowering writes and what their way to LLVM needs.
void registerDialects(mlir::DialectRegistry &registry);

// Lowers `module` in place to LLVM's dialect.
Status lowerToLlvm(mlir::ModuleOp module);

// LLVM's code generator for x86-64-v3 (kAvx2) or x86-64-v4 (kAvx512); null where
// this LLVM has none. Dear to make and to warm up; used by one thread at a time.
std::unique_ptr<llvm::TargetMachine> newMachine(Isa isa);

// A module of LLVM's dialect to an ELF object. None of LLVM's passes over IR run: they
// cost several times what they gain.
Status compileToObject(mlir::ModuleOp module, Isa isa, llvm::TargetMachine &machine,
                       llvm::SmallVectorImpl<char> &object);

} // namespace millrace::codegen
