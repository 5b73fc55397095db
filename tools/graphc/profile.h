// Where the time of runs goes, step by step.
#pragma once

#include <string>
#include <vector>

#include "millrace/runtime/executor/runner.h"

namespace millrace::graphc {

struct StepProfile {
  uint32_t step = 0;
  std::string node, op;
  int64_t runs = 0;
  double us = 0;     // of one run, the median
  double share = 0;  // of all steps
  int64_t bytes = 0;
  double flops = 0;
};

// One entry a step, in the order of the plan.
std::vector<StepProfile> ProfileOf(const std::vector<RunMetadata>& runs);

// Steps by time, then ops by time: us, share, GB/s, GFLOP/s.
void PrintProfile(const std::vector<StepProfile>& steps, size_t most);

// One run in the format that Chrome's and Perfetto's trace viewers read.
Status WriteTrace(const RunMetadata& run, const std::string& path);

}  // namespace millrace::graphc
