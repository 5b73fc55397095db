// How the time of something grows with its size: in the process's own time, so
// that what else the machine does is not counted, and as a ratio.
#pragma once

#include <algorithm>
#include <ctime>

namespace millrace {

// The time of run(4 * size) by that of run(size), the least of a few attempts (caches
// and page faults disturb single ones). 4 is linear, 16 quadratic.
template <typename Run>
double GrowthOfTime(int size, Run run) {
  const auto seconds = [&](int n) {
    const std::clock_t start = std::clock();
    run(n);
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  };
  double least = 1e9;
  for (int attempt = 0; attempt < 4 && least > 6; ++attempt) {
    const double one = seconds(size);
    least = std::min(least, seconds(4 * size) / std::max(one, 1e-6));
  }
  return least;
}

}  // namespace millrace
