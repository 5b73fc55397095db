// From an object file to relocation-free code.
#pragma once

#include "millrace/ops/cluster/code.h"

#include "llvm/ADT/StringRef.h"

namespace millrace::codegen {

// Lays the object's code and constants out in one piece and fills in the distances
// between them. `segments` name functions "segment_N" and get their offsets.
// Unimplemented where the code refers to anything outside of itself.
Status linkObject(llvm::StringRef object, cluster::CompiledProgram &program);

} // namespace millrace::codegen
