// Runs a tape one element at a time, in the plainest way: what recordings and
// compiled code are compared with.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "millrace/ops/expr/tape.h"

namespace millrace {

// The outputs' bits, for inputs given as bits.
std::vector<uint64_t> RunTape(const Tape& tape, std::span<const uint64_t> inputs);

}  // namespace millrace
