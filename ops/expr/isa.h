// Which instruction set this translation unit is compiled for. A family's file is
// compiled once for the floor (x86-64-v3) and again with MILLRACE_ISA=avx512.
#pragma once

#ifdef MILLRACE_ISA
#define MILLRACE_BASELINE 0
#else
#define MILLRACE_ISA avx2
#define MILLRACE_BASELINE 1
#endif

// Everything that is instantiated for an instruction set lives in its own
// namespace, so that the linker never merges code for a newer one into older code.
#define MILLRACE_ISA_NAMESPACE_BEGIN namespace millrace::expr::MILLRACE_ISA {
#define MILLRACE_ISA_NAMESPACE_END }

#define MILLRACE_INLINE __attribute__((always_inline)) inline

MILLRACE_ISA_NAMESPACE_BEGIN
inline constexpr int kVectorBytes = MILLRACE_BASELINE ? 32 : 64;
MILLRACE_ISA_NAMESPACE_END
