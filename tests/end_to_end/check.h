// Running one recorded sequence in every way that was asked for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "millrace/tests/end_to_end/replay.h"
#include "millrace/tests/end_to_end/report.h"
#include "millrace/tests/end_to_end/runner_options.h"

namespace millrace::end_to_end {

class Checker {
 public:
  // `program_folder` is where bin/plan_replay is.
  Checker(const RunnerArguments& arguments, const std::string& program_folder);

  // The requests on `def` through the Session.
  std::vector<Reply> Run(const GraphDef& def, const std::vector<Request>& requests) const;
  // A hash of all that Run ever answered, in order.
  uint64_t digest() const { return digest_; }

  // Through plan bytes and perturbed, as asked for on the command line: "" where
  // each gives the bits of `replies` (what Run answered). Where `tolerance` is
  // not null, one of the last request's interior tensors is also fed and
  // fetched; its fetches then keep the tolerances {rtol, atol} of each output.
  std::string CheckOtherWays(const GraphDef& def, const std::vector<Request>& requests,
                             const std::vector<Reply>& replies,
                             const std::vector<std::pair<double, double>>* tolerance) const;

 private:
  std::string CheckInterior(const GraphDef& def, const std::vector<Request>& requests,
                            const std::vector<Reply>& replies,
                            const std::vector<std::pair<double, double>>& tolerance) const;

  const RunnerArguments& arguments_;
  mutable uint64_t digest_ = 0xcbf29ce484222325ull;
  std::unique_ptr<Replayer> session_, plan_;
};

// Ops of the graph, functions included, that are not defined here.
std::vector<std::string> MissingOps(const GraphDef& def);
// Ops of the graph that are defined without any kernel.
std::vector<std::string> OpsWithoutKernel(const GraphDef& def);

}  // namespace millrace::end_to_end
