#include "millrace/tools/graphc/profile.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "millrace/proto/value/strings.h"
#include "millrace/proto/value/whole_file.h"

namespace millrace::graphc {
namespace {

std::string Rate(double amount, double us, double unit) {
  if (amount <= 0 || us <= 0) return "";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", amount / us * 1e6 / unit);
  return text;
}

}  // namespace

std::vector<StepProfile> ProfileOf(const std::vector<RunMetadata>& runs) {
  // A step is known by its number and its node: inner blocks number their own.
  std::map<std::pair<uint32_t, std::string>, std::pair<StepProfile, std::vector<double>>> found;
  for (const RunMetadata& run : runs) {
    for (const StepStats& s : run.steps) {
      auto& [profile, times] = found[{s.step, s.node}];
      profile.step = s.step;
      profile.node = s.node;
      profile.op = s.op;
      profile.bytes = s.bytes;
      profile.flops = s.flops;
      times.push_back(static_cast<double>(s.end_ns - s.start_ns) / 1e3);
    }
  }
  std::vector<StepProfile> out;
  double total = 0;
  for (auto& [key, entry] : found) {
    auto& [profile, times] = entry;
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
    profile.runs = static_cast<int64_t>(times.size());
    // Of a loop's step, all its turns in a run.
    profile.us = times[times.size() / 2] * static_cast<double>(times.size()) / static_cast<double>(runs.size());
    total += profile.us;
    out.push_back(std::move(profile));
  }
  for (StepProfile& p : out) p.share = total > 0 ? p.us / total : 0;
  return out;
}

void PrintProfile(const std::vector<StepProfile>& steps, size_t most) {
  std::vector<StepProfile> by_time = steps;
  std::sort(by_time.begin(), by_time.end(), [](const auto& a, const auto& b) { return a.us > b.us; });
  std::printf("%6s %10s %7s %8s %8s  %s\n", "step", "us", "share", "GB/s", "GFLOP/s", "op, node");
  double total = 0;
  for (size_t i = 0; i < by_time.size(); ++i) {
    const StepProfile& p = by_time[i];
    total += p.us;
    if (i >= most) continue;
    std::printf("%6u %10.2f %6.1f%% %8s %8s  %s '%s'\n", p.step, p.us, p.share * 100,
                Rate(static_cast<double>(p.bytes), p.us, 1e9).c_str(), Rate(p.flops, p.us, 1e9).c_str(), p.op.c_str(),
                p.node.c_str());
  }
  if (by_time.size() > most) std::printf("       and %zu more steps\n", by_time.size() - most);

  struct Sum {
    int64_t count = 0;
    double us = 0, bytes = 0, flops = 0;
  };
  std::map<std::string, Sum> sums;
  for (const StepProfile& p : steps) {
    Sum& sum = sums[p.op];
    ++sum.count;
    sum.us += p.us;
    sum.bytes += static_cast<double>(p.bytes);
    sum.flops += p.flops;
  }
  std::vector<std::pair<std::string, Sum>> ops(sums.begin(), sums.end());
  std::sort(ops.begin(), ops.end(), [](const auto& a, const auto& b) { return a.second.us > b.second.us; });
  std::printf("%6s %10s %7s %8s %8s  %s\n", "steps", "us", "share", "GB/s", "GFLOP/s", "op");
  for (const auto& [op, sum] : ops) {
    std::printf("%6lld %10.2f %6.1f%% %8s %8s  %s\n", static_cast<long long>(sum.count), sum.us,
                total > 0 ? sum.us / total * 100 : 0, Rate(sum.bytes, sum.us, 1e9).c_str(),
                Rate(sum.flops, sum.us, 1e9).c_str(), op.c_str());
  }
  std::printf("%6zu %10.2f  all steps; the clock adds some 0.05 us to each\n", steps.size(), total);
}

Status WriteTrace(const RunMetadata& run, const std::string& path) {
  using Json = nlohmann::ordered_json;
  Json events = Json::array();
  std::map<int, bool> threads;
  for (const StepStats& s : run.steps) {
    threads[s.thread] = true;
    Json args = {{"step", s.step}, {"op", s.op}, {"device", s.device}, {"bytes", s.bytes}};
    if (s.flops > 0) args["flops"] = s.flops;
    events.push_back({{"name", s.node},
                      {"cat", s.op},
                      {"ph", "X"},
                      {"ts", static_cast<double>(s.start_ns) / 1e3},
                      {"dur", static_cast<double>(s.end_ns - s.start_ns) / 1e3},
                      {"pid", 1},
                      {"tid", s.thread},
                      {"args", std::move(args)}});
  }
  for (const auto& [thread, used] : threads) {
    events.push_back({{"name", "thread_name"},
                      {"ph", "M"},
                      {"pid", 1},
                      {"tid", thread},
                      {"args", {{"name", Cat("thread ", thread)}}}});
  }
  const Json trace = {{"traceEvents", std::move(events)}, {"displayTimeUnit", "ns"}};
  return WriteWholeFile(path, trace.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace millrace::graphc
