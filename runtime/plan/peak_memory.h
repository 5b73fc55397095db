// The memory that a signature of a plan takes, known before it runs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/proto/plan/plan.h"
#include "millrace/proto/value/status.h"

namespace millrace {

// Bytes that the feeds' open dimensions decide.
struct MemorySize {
  // "3072*x.0 + 640"; "unbounded" where only the run knows.
  std::string text;
  // The number where every dimension in it is given; -1 otherwise.
  int64_t bytes = -1;
};

// Of one run at a time: runs that go on at once share constants and variables and
// have the rest each to itself. Left out are kernels' workspaces and outputs that
// nobody asked for, whose sizes a plan does not have (RunMetadata::peak_bytes
// counts them).
struct PeakMemory {
  // Values whose sizes are known from the feeds, in slots that are used again, on
  // all devices, and those of the largest branch or loop.
  MemorySize arena;
  // Values that get their memory during the run (sizes that only the run knows,
  // snapshots of variables that are written meanwhile): a bound, as if all of them
  // lived at once.
  MemorySize late;
  // What is fetched.
  MemorySize results;
  // Shared by all signatures of the plan. Constants of a mapped plan are in memory
  // once for all processes.
  MemorySize constants, variables;
  MemorySize total;
  // The values, and variables, that have no bound.
  std::vector<std::string> unbounded;
};

// `dims` are numbers for symbols: {"x.0", 8}. NotFound for a signature that is not
// there, InvalidArgument for a dim that is no symbol, or negative, and for a plan
// whose indices are wrong.
Result<PeakMemory> PeakMemoryOf(const plan::Plan& plan, std::string_view signature,
                                const std::map<std::string, int64_t>& dims = {});

}  // namespace millrace
