// What libmillrace_codegen offers: tapes in, machine code out. Plain data on both
// sides; neither LLVM's types nor a registry. libmillrace opens the library when it
// first has something to compile (Library.h), and does without where it is not
// there.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "millrace/ops/cluster/code.h"
#include "millrace/ops/expr/tape.h"
#include "millrace/ops/kernel/isa.h"
#include "millrace/proto/value/status.h"

namespace millrace::codegen {

// An element-wise segment of a program: inputs and outputs of the tape are what the
// segment reads and writes.
struct SegmentTape {
  int segment = 0;
  uint64_t digest = 0; // SegmentDigest
  Tape tape;
  // Where the loop is cut, as numbers of instructions, rising: each piece becomes a
  // loop of its own over blocks that stay in cache.
  std::vector<uint32_t> cuts;
};

// Where the time of a compilation went, in microseconds of the calling thread.
struct CompileTimes {
  double mlir = 0; // from tapes to LLVM's dialect
  double llvm = 0; // from there to an object
  double link = 0;
};

// Compiles segments into one piece of code for the instruction set. Thread-safe;
// calls overlap without waiting for each other. InvalidArgument where a tape is
// none, Unimplemented where the result would need something from outside. `times` may
// be null.
using CompileFn = Result<cluster::CompiledProgram> (*)(std::span<const SegmentTape> segments,
                                                       Isa isa, CompileTimes *times);

// What the library's one symbol, kSymbol, points to.
struct Library {
  uint32_t version; // kVersion, or the library is of another build
  CompileFn compile;
};
// Changes with the layout of what crosses and with the code that is made.
inline constexpr uint32_t kVersion = 5;
inline constexpr const char *kSymbol = "millrace_codegen";

} // namespace millrace::codegen
