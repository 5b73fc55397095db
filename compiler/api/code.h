// Machine code for the clusters of a plan. A plan runs without it, with the same
// bits; AttachCode makes what pays run faster.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "millrace/ops/registry/op.h"
#include "millrace/proto/plan/plan.h"
#include "millrace/proto/value/status.h"

namespace millrace {

enum class Codegen {
  kOff,
  kOn,    // every cluster that can be
  kAuto,  // those whose saving over the expected runs is more than compiling them costs
};

struct CodeOptions {
  Codegen codegen = Codegen::kOff;
  // The CPUs the code is for: "avx2", "avx512"; the one that runs takes the best it
  // has. Empty: the best of this CPU.
  std::vector<std::string> targets;
  // Runs of a plan over which compiling should pay (kAuto).
  double expected_runs = 200;
  // A folder where compiled code is kept between processes; made if it is not
  // there. Empty: nothing is kept. Any trouble with it only means that clusters are
  // compiled again.
  std::string cache_dir;
  int64_t cache_bytes = int64_t{256} << 20;  // what it may hold; the oldest entries go first
  // Clusters that are compiled at a time, the calling thread included; 0: as many
  // as the machine has cores, at most 4.
  int threads = 0;
};

struct CodeReport {
  int clusters = 0;    // _Cluster steps of the plan
  int attached = 0;    // that have code now
  int declined = 0;    // by the cost model
  int refused = 0;     // with nothing that can be compiled, or where the compiler gave up
  int compiled = 0;    // pieces that were compiled: equal clusters share one
  int from_cache = 0;  // pieces that were on disk
  bool no_library = false;  // libmillrace_codegen is not there
};

// Attaches code to the clusters of `plan` and names it in their steps. What cannot
// be compiled stays as it is. InvalidArgument for a target that is none. Blocks
// until all is compiled; its threads are gone when it returns.
Status AttachCode(plan::Plan* plan, const Registry& registry, const CodeOptions& options,
                  CodeReport* report = nullptr);

// What the cost model of kAuto expects `instructions` element-wise ops over
// `elements` elements, `weight` machine operations an element in all, to save in
// one run and to cost to compile, in microseconds.
struct CodeCost {
  double saved_per_run = 0;
  double compile = 0;
};
CodeCost EstimateCode(int64_t elements, int64_t instructions, int64_t weight);

}  // namespace millrace
