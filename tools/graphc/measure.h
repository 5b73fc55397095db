// How long runs of one callable take, from one caller or several at once.
#pragma once

#include <cstdint>
#include <vector>

#include "millrace/runtime/executor/runner.h"

namespace millrace::graphc {

struct MeasureOptions {
  int callers = 1;      // threads that call Run, each with the same feeds
  int64_t warm_up = 3;  // runs of each caller that are not counted
  int64_t runs = 0;     // of all callers together; 0: for `seconds`, at least 5 each
  double seconds = 1;
};

struct Measurement {
  std::vector<double> us;  // of each run, sorted
  double seconds = 0;      // from the first counted run to the end of the last

  // The latency that `percent` of the runs do not exceed.
  double Percentile(double percent) const;
  double Mean() const;
  double RunsPerSecond() const { return static_cast<double>(us.size()) / seconds; }
};

// The first error of any caller.
Result<Measurement> Measure(Callable& callable, const std::vector<Tensor>& feeds, const MeasureOptions& options);

}  // namespace millrace::graphc
