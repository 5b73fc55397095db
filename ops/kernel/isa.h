// Isa: which of the built-in instruction sets kernels use.
#pragma once

#include <string_view>

namespace millrace {

enum class Isa { kAvx2, kAvx512 };

// The best that this CPU has, or what MILLRACE_ISA=avx2|avx512 in the
// environment asks for, if the CPU has it; decided at the first call. Results do
// not depend on it. Thread-safe.
Isa ActiveIsa();

// For tests that compare the two: what ActiveIsa answers from now on. False, and
// no change, where the CPU has not got it. Not while kernels run.
bool SetIsaForTesting(Isa isa);

// "avx2", "avx512".
std::string_view IsaName(Isa isa);

}  // namespace millrace
