// The command line that both runners share.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace millrace::end_to_end {

struct RunnerArguments {
  std::vector<std::string> paths;
  std::string filter;
  int threads = 1, devices = 1;
  bool list = false, plan = false, all = false, digest = false;
  uint64_t perturb = 0;  // the seed; 0: off
  std::vector<std::string> disabled_passes;

  void AddTo(CLI::App* app, const char* what) {
    app->add_option("paths", paths, what)->required()->check(CLI::ExistingPath);
    app->add_option("--filter", filter, "only names that contain this text");
    app->add_option("--threads", threads, "threads a run may use")->capture_default_str();
    app->add_option("--devices", devices, "CPUs that the nodes are dealt to, in their order")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    app->add_flag("--list", list, "print the names and run nothing");
    app->add_flag("--plan", plan, "also through plan bytes into a process with the runtime alone: same bits");
    app->add_option("--perturb", perturb,
                    "a seed: also with nodes renamed and reordered (same bits) and with interior tensors fed and "
                    "fetched at random");
    app->add_option("--without", disabled_passes, "leave out passes of the compiler; 'all' that can be")
        ->delimiter(',');
    app->add_flag("--digest", digest, "print a hash of the bits of all results, to compare runs with");
    app->add_flag("--all", all, "every row of the table, not only those with failures");
  }
};

}  // namespace millrace::end_to_end
