// From programs of clusters to tapes.
#pragma once

#include "millrace/compiler/codegen/Codegen.h"
#include "millrace/ops/cluster/program.h"
#include "millrace/ops/registry/op.h"

#include <string>

namespace millrace::codegen {

// The element-wise segments of `program` that can be compiled. Left out, and run by
// the built-in bodies: those with an op that has no tape (complex numbers, functions
// of the C library), and those of more than kMaxTape instructions.
std::vector<SegmentTape> recordProgram(const cluster::Program &program, const Registry &registry);
inline constexpr size_t kMaxTape = 60000;

// What distinguishes the code of these tapes from any other's, but for the
// instruction set: 32 hexadecimal digits. Constants, cuts and kVersion are in it.
std::string contentKey(std::span<const SegmentTape> segments);

} // namespace millrace::codegen
