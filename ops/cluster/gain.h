// What machine code for a cluster is worth.
#pragma once

#include "millrace/ops/cluster/program.h"

namespace millrace {
class Registry;
}

namespace millrace::cluster {

// In microseconds of one core.
struct CodeGain {
  double run = 0;      // what code saves in each run,
  double element = 0;  // and for each element of the space
  double make = 0;     // what compiling takes, once

  double Of(int64_t elements) const { return run + element * static_cast<double>(elements); }
};

// From the program alone, never from a clock, so that the same program is always
// judged alike.
CodeGain GainOfCode(const Program& program, const Registry& registry);

}  // namespace millrace::cluster
