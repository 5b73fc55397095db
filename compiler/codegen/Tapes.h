// From programs of clusters to tapes.
#pragma once

#include "millrace/compiler/codegen/Codegen.h"
#include "millrace/ops/cluster/program.h"
#include "millrace/ops/registry/op.h"

#include <string>

namespace millrace::codegen {

// Where loops are cut: between two ops where what stands before has at least
// `piece` operations and the op after it as many as a transcendental one has, `op`
// (a long chain of those in one iteration is bound by latency), or where the piece
// would pass `most`, about what LLVM handles in linear time.
struct CutRule {
  int64_t piece = 20;
  int64_t op = 12;
  int64_t most = 400;
};

// The element-wise segments of `program` that can be compiled. Left out, and run by
// the built-in bodies: those with an op that has no tape (complex numbers, functions
// of the C library), and what would be more than kMaxTape instructions in all: LLVM
// takes a second for them.
std::vector<SegmentTape> recordProgram(const cluster::Program &program, const Registry &registry,
                                       const CutRule &rule = {});
inline constexpr size_t kMaxTape = 16384;

// What distinguishes the code of these tapes from any other's, but for the
// instruction set: 32 hexadecimal digits. Constants, cuts and kVersion are in it.
std::string contentKey(std::span<const SegmentTape> segments);

} // namespace millrace::codegen
