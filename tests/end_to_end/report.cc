#include "millrace/tests/end_to_end/report.h"

#include <algorithm>

namespace millrace::end_to_end {

void Report::Add(const std::string& group, const std::string& name, const Outcome& outcome) {
  Row& row = rows_[group];
  switch (outcome.kind) {
    case Outcome::Kind::kPassed:
      ++row.passed;
      break;
    case Outcome::Kind::kSkipped:
      ++row.skipped;
      ++skips_[outcome.why];
      break;
    case Outcome::Kind::kFailed:
      ++row.failed;
      if (row.failures.size() < 3) row.failures.push_back(name + ": " + outcome.why);
      break;
  }
}

int Report::Print(bool all) const {
  int passed = 0, failed = 0, skipped = 0;
  std::printf("%-40s %8s %8s %8s\n", "", "passed", "failed", "skipped");
  for (const auto& [group, row] : rows_) {
    passed += row.passed;
    failed += row.failed;
    skipped += row.skipped;
    if (!all && row.failed == 0) continue;
    std::printf("%-40s %8d %8d %8d\n", group.c_str(), row.passed, row.failed, row.skipped);
    for (const std::string& failure : row.failures) std::printf("    %s\n", failure.c_str());
  }
  if (!skips_.empty()) {
    std::vector<std::pair<int, std::string>> reasons;
    for (const auto& [why, count] : skips_) reasons.emplace_back(count, why);
    std::sort(reasons.rbegin(), reasons.rend());
    std::printf("skipped for want of:\n");
    const size_t shown = all ? reasons.size() : std::min<size_t>(reasons.size(), 20);
    for (size_t i = 0; i < shown; ++i) std::printf("%8d  %s\n", reasons[i].first, reasons[i].second.c_str());
    if (shown < reasons.size()) std::printf("          and %zu more (--all)\n", reasons.size() - shown);
  }
  std::printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
  return failed == 0 ? 0 : 1;
}

}  // namespace millrace::end_to_end
