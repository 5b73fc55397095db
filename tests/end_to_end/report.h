// What the runners count and print.
#pragma once

#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace millrace::end_to_end {

// Passed, failed (with what differs) or skipped (with what is missing).
struct Outcome {
  enum class Kind { kPassed, kFailed, kSkipped } kind = Kind::kPassed;
  std::string why;
  static Outcome Passed() { return {}; }
  static Outcome Failed(std::string why) { return {Kind::kFailed, std::move(why)}; }
  static Outcome Skipped(std::string why) { return {Kind::kSkipped, std::move(why)}; }
};

// What of a case was checked.
enum class Part { kValues, kGradients };

class Report {
 public:
  // `group` is a row of the table: an op or a model.
  void Add(const std::string& group, const std::string& name, const Outcome& outcome, Part part = Part::kValues);
  // The table (rows with failures or, where `all`, every row; values and
  // gradients side by side), the first failures of each row, the reasons for
  // skips with their counts, and the closing line "N passed, N failed, N
  // skipped". Returns the exit status.
  int Print(bool all) const;

 private:
  struct Counts {
    int passed = 0, failed = 0, skipped = 0;
  };
  struct Row {
    Counts counts[2];                   // by Part
    std::vector<std::string> failures;  // the first few
  };
  std::map<std::string, Row> rows_;
  std::map<std::string, int> skips_;
};

}  // namespace millrace::end_to_end
