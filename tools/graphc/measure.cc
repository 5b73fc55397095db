#include "millrace/tools/graphc/measure.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cmath>
#include <numeric>
#include <thread>

namespace millrace::graphc {
namespace {

using Clock = std::chrono::steady_clock;

double Seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

// What the callers share.
struct Race {
  Callable& callable;
  const std::vector<Tensor>& feeds;
  const MeasureOptions& options;
  std::barrier<> start;
  std::atomic<int64_t> taken{0};  // runs, where their number is given
  std::atomic<bool> failed{false};
};

struct Caller {
  std::vector<double> us;
  Status status;
  Clock::time_point begin, end;

  void Call(Race& race) {
    std::vector<Tensor> results;
    for (int64_t i = 0; i < race.options.warm_up && status.ok(); ++i) {
      results.clear();
      status = race.callable.Run(race.feeds, &results);
    }
    if (!status.ok()) race.failed = true;
    race.start.arrive_and_wait();
    begin = end = Clock::now();
    const bool counted = race.options.runs > 0;
    while (!race.failed) {
      if (counted && race.taken.fetch_add(1) >= race.options.runs) break;
      if (!counted && us.size() >= 5 && Seconds(end - begin) >= race.options.seconds) break;
      results.clear();
      const auto from = Clock::now();
      status = race.callable.Run(race.feeds, &results);
      end = Clock::now();
      if (!status.ok()) race.failed = true;
      else us.push_back(Seconds(end - from) * 1e6);
    }
  }
};

}  // namespace

double Measurement::Percentile(double percent) const {
  const auto rank = static_cast<size_t>(std::ceil(percent / 100 * static_cast<double>(us.size())));
  return us[std::clamp<size_t>(rank, 1, us.size()) - 1];
}

double Measurement::Mean() const { return std::accumulate(us.begin(), us.end(), 0.0) / static_cast<double>(us.size()); }

Result<Measurement> Measure(Callable& callable, const std::vector<Tensor>& feeds, const MeasureOptions& options) {
  Race race{callable, feeds, options, std::barrier<>(options.callers)};
  std::vector<Caller> callers(static_cast<size_t>(options.callers));
  std::vector<std::thread> threads;
  for (size_t i = 1; i < callers.size(); ++i) threads.emplace_back([&race, &c = callers[i]] { c.Call(race); });
  callers[0].Call(race);
  for (std::thread& thread : threads) thread.join();

  Measurement all;
  Clock::time_point begin = callers[0].begin, end = callers[0].end;
  for (const Caller& c : callers) {
    MR_RETURN_IF_ERROR(c.status);
    begin = std::min(begin, c.begin);
    end = std::max(end, c.end);
    all.us.insert(all.us.end(), c.us.begin(), c.us.end());
  }
  std::sort(all.us.begin(), all.us.end());
  all.seconds = std::max(Seconds(end - begin), 1e-9);
  return all;
}

}  // namespace millrace::graphc
