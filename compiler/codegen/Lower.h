// From tapes to MLIR: a function for each segment, of scf loops over vectors.
#pragma once

#include "millrace/compiler/codegen/Codegen.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace millrace::codegen {

// Lanes of a segment's vectors: as many as fit a register of the widest type that
// it computes with.
int lanesOf(const Tape &tape, Isa isa);

// A module with a function "segment_N" (a SegmentFn) for segment N of `segments`.
// The tapes are valid.
mlir::OwningOpRef<mlir::ModuleOp> lowerSegments(mlir::MLIRContext &context,
                                                std::span<const SegmentTape> segments, Isa isa);

} // namespace millrace::codegen
