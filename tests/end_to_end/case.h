// Recorded cases (the format of oracle/case.proto): a graph, what is fed, and
// what the reference framework answered.
#pragma once

#include <string>
#include <vector>

#include "millrace/devices/api/tensor.h"
#include "millrace/proto/value/graph_def.h"
#include "millrace/proto/value/status.h"

namespace millrace::end_to_end {

struct NamedTensor {
  std::string name;  // "y:0"
  Tensor value;
  bool none = false;  // a gradient that must not be there
  double rtol = 0, atol = 0;
};

struct Case {
  std::string name, op, family;
  GraphDef graph;
  std::vector<NamedTensor> feeds;
  std::vector<std::string> fetches;
  std::vector<NamedTensor> expected;
  std::vector<std::string> targets;
  std::vector<std::string> grad_ys_of, grad_xs;
  std::vector<NamedTensor> grad_seed, grad_expected;
  int expect_error = 0;
  std::string expect_error_phase;
  std::vector<NamedTensor> expected_second_run;
};

// `record` is one serialized Case.
Result<Case> ParseCase(std::string_view record);

}  // namespace millrace::end_to_end
