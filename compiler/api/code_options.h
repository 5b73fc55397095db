// Whether, for what and how machine code for clusters is made.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace millrace {

enum class Codegen {
  kOff,
  kOn,   // every cluster that can be
  kAuto, // those whose saving over the expected runs is more than compiling them costs
};

struct CodeOptions {
  Codegen codegen = Codegen::kOff;
  // The CPUs the code is for: "avx2", "avx512"; the one that runs takes the best it
  // has. Empty: the best of this CPU.
  std::vector<std::string> targets;
  // Runs of a plan over which compiling should pay: what kAuto asks when a plan is
  // compiled. A session counts its runs instead (SessionOptions::code).
  double expected_runs = 200;
  // A folder where compiled code is kept between processes; made if it is not
  // there. Empty: nothing is kept. Any trouble with it only means that clusters are
  // compiled again.
  std::string cache_dir;
  int64_t cache_bytes = int64_t{256} << 20; // what it may hold; the oldest entries go first
  // Clusters that are compiled at a time, the calling thread included; 0: as many
  // as the machine has cores, at most 4.
  int threads = 0;
};

// As the environment has it: MILLRACE_CODEGEN=off|on|auto and MILLRACE_CODE_CACHE
// (a folder) stand in for what `options` says. Sessions ask it, so that a host's
// user has the last word.
CodeOptions FromEnvironment(CodeOptions options);

} // namespace millrace
