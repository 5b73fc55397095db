// Times of the benches: of processor time, which other programs disturb less.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <utility>

namespace millrace::bench {

// Microseconds of this thread.
inline double Now() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) * 1e-3;
}

// Microseconds of a() and of b(): the best of 15 rounds of each, taken in turn.
template <class A, class B>
std::pair<double, double> Compare(const A& a, const B& b) {
  const auto time = [](const auto& f, int64_t times) {
    const double start = Now();
    for (int64_t i = 0; i < times; ++i) f();
    return (Now() - start) / static_cast<double>(times);
  };
  const double guess = std::max(0.1, std::max(time(a, 2), time(b, 2)));
  const int64_t times = std::max<int64_t>(1, static_cast<int64_t>(4000 / guess));
  std::pair<double, double> best{1e30, 1e30};
  for (int round = 0; round < 15; ++round) {
    best.first = std::min(best.first, time(a, times));
    best.second = std::min(best.second, time(b, times));
  }
  return best;
}

}  // namespace millrace::bench
