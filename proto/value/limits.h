// Limits: what may come from outside and what may be made of it, at most. The one
// place for bounds that a user sets; proto/LIMITS.md has the table, with the bounds
// that are fixed.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "millrace/proto/value/status.h"

namespace millrace {

// All are counts of 0 and more. Where something is larger, the call that meets it
// fails with ResourceExhausted, which names the limit, and changes nothing.
struct Limits {
  // Reading serialized messages and plans, in bytes of the whole. Checked first.
  int64_t file_bytes = int64_t{1} << 40;
  // Nodes of one GraphDef, those of its functions included.
  int64_t file_nodes = int64_t{1} << 26;
  // Messages within messages. 100 is also protobuf's.
  int64_t message_depth = 100;
  // Of one tensor that a file holds, written out in full: a few bytes can stand for
  // many.
  int64_t tensor_bytes = int64_t{1} << 40;
  // Operations of all signatures together, behind each phase of a compile.
  int64_t compile_nodes = 16'000'000;
  // Programs of fused operations in a compile.
  int64_t clusters = 1'000'000;
  // Of the constants that a compile adds to the graph's: folded, transposed, scaled.
  int64_t constant_bytes = int64_t{8} << 30;
  // Of the tensors that the runs of a session or runner hold, variables included, on
  // each device; 0: as much as there is.
  int64_t memory_bytes = 0;

  friend bool operator==(const Limits&, const Limits&) = default;
};

// A limit by its name.
struct LimitInfo {
  const char* name;
  int64_t Limits::* value;
};
// Each of them, for tools and tables, in the order above.
const std::vector<LimitInfo>& AllLimits();

// "tensor_bytes=1000000,clusters=10" into `limits`, which is as it was after an
// error. InvalidArgument names the part that is no limit or no number from 0.
Status SetLimits(std::string_view text, Limits* limits);

// `limits` where the environment variable MILLRACE_LIMITS says nothing else; its text
// is SetLimits'. The C interface and graphc ask it for all they do, sessions and
// runners when they are made: who runs a program has the last word.
Result<Limits> LimitsFromEnvironment(Limits limits = {});

// ResourceExhausted, "<what>: the limit <name> is <limit>, found <found>".
Status PastLimit(std::string_view what, std::string_view name, int64_t limit, uint64_t found);

}  // namespace millrace
