#include "millrace/tests/end_to_end/report.h"

#include <algorithm>

namespace millrace::end_to_end {

void Report::Add(const std::string& group, const std::string& name, const Outcome& outcome, Part part) {
  Row& row = rows_[group];
  Counts& counts = row.counts[static_cast<size_t>(part)];
  switch (outcome.kind) {
    case Outcome::Kind::kPassed:
      ++counts.passed;
      break;
    case Outcome::Kind::kSkipped:
      ++counts.skipped;
      ++skips_[outcome.why];
      break;
    case Outcome::Kind::kFailed:
      ++counts.failed;
      if (row.failures.size() < 3) {
        const char* what = part == Part::kGradients ? ", gradients: " : ": ";
        row.failures.push_back(name + what + outcome.why);
      }
      break;
  }
}

int Report::Print(bool all) const {
  Counts sums[2];
  for (const auto& [group, row] : rows_) {
    for (size_t part = 0; part < 2; ++part) {
      sums[part].passed += row.counts[part].passed;
      sums[part].failed += row.counts[part].failed;
      sums[part].skipped += row.counts[part].skipped;
    }
  }
  const bool gradients = sums[1].passed + sums[1].failed + sums[1].skipped > 0;
  auto print = [&](const std::string& title, const Counts* counts) {
    std::printf("%-40s", title.c_str());
    for (size_t part = 0; part < (gradients ? 2 : 1); ++part) {
      std::printf(" %8d %8d %8d", counts[part].passed, counts[part].failed, counts[part].skipped);
    }
    std::printf("\n");
  };
  if (gradients) std::printf("%-40s %26s %26s\n", "", "values", "gradients");
  std::printf("%-40s", "");
  for (size_t part = 0; part < (gradients ? 2 : 1); ++part) std::printf(" %8s %8s %8s", "passed", "failed", "skipped");
  std::printf("\n");
  for (const auto& [group, row] : rows_) {
    if (!all && row.counts[0].failed + row.counts[1].failed == 0) continue;
    print(group, row.counts);
    for (const std::string& failure : row.failures) std::printf("    %s\n", failure.c_str());
  }
  if (gradients) print("all", sums);
  if (!skips_.empty()) {
    std::vector<std::pair<int, std::string>> reasons;
    for (const auto& [why, count] : skips_) reasons.emplace_back(count, why);
    std::sort(reasons.rbegin(), reasons.rend());
    std::printf("skipped for want of:\n");
    const size_t shown = all ? reasons.size() : std::min<size_t>(reasons.size(), 20);
    for (size_t i = 0; i < shown; ++i) std::printf("%8d  %s\n", reasons[i].first, reasons[i].second.c_str());
    if (shown < reasons.size()) std::printf("          and %zu more (--all)\n", reasons.size() - shown);
  }
  std::printf("%d passed, %d failed, %d skipped\n", sums[0].passed + sums[1].passed, sums[0].failed + sums[1].failed,
              sums[0].skipped + sums[1].skipped);
  return sums[0].failed + sums[1].failed == 0 ? 0 : 1;
}

}  // namespace millrace::end_to_end
