// Session: the door that opens compiler and runtime both. It compiles a graph
// once for each set of feeds, fetches and targets, keeps the plans, and runs them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "millrace/compiler/api/code_options.h"
#include "millrace/devices/api/tensor.h"
#include "millrace/ops/graph/graph.h"
#include "millrace/proto/value/limits.h"
#include "millrace/proto/value/status.h"
#include "millrace/runtime/executor/runner.h"
#include "millrace/runtime/session/partial_run.h"

namespace millrace {

struct SessionOptions {
  // Threads a run may use, the caller's included; 0: as many as the machine has
  // cores. 1 means the caller's thread and no other.
  int threads = 0;
  // Of runs (memory_bytes) and of what is compiled for them; the environment may say
  // otherwise (LimitsFromEnvironment).
  Limits limits = {};
  std::vector<std::string> disabled_passes = {};
  // Machine code for clusters, where libmillrace_codegen is there; the environment
  // may say otherwise (FromEnvironment). Results are the same bits without it. kAuto:
  // runs begin at once without code; for clusters whose runs have lost several times
  // what compiling costs, a thread beside the runs makes it, and later runs have it.
  // kOn: all of it is made before the first run.
  CodeOptions code = {.codegen = Codegen::kAuto, .targets = {}, .cache_dir = {}};
  // How many devices there are of a kind. "CPU": one where nothing is said or less
  // than one; more share the threads, each has memory of its own. "NULL": keeps
  // no data, for tests. Other kinds are not there, whatever is said. At most 64 of
  // each.
  std::map<std::string, int32_t> device_count = {};
  // A node that asks for a device that is not there, or that has no kernel for it,
  // runs where there is one. False: compiling it fails, naming the node, what it
  // asked for and the devices there are.
  bool allow_soft_placement = true;
  // For a graph that grows while runs are in progress: whoever changes it holds this
  // mutex, as the session does while it reads the graph. None: the graph only changes
  // between runs.
  std::shared_ptr<std::timed_mutex> graph_mutex = nullptr;
};

// Thread-safe: any number of threads may Run at once; they share plans,
// constants and variables, never scratch memory.
class Session {
 public:
  // `graph` may grow between runs (nodes are never taken away); during one, under the
  // options' graph_mutex. Nothing is compiled yet, and no thread is made before the
  // first run that wants several. InvalidArgument names an option that is out of its
  // range, what MILLRACE_LIMITS has wrong, or what is wrong with the definitions of the
  // graph's registry.
  static Result<std::unique_ptr<Session>> New(std::shared_ptr<const Graph> graph, const SessionOptions& options = {});
  ~Session();

  // Feeds (tensor name and value), fetched tensors, nodes to run for their
  // effects. A tensor is named "x:0", or "x" for the first output; an Output stands for
  // its name. Shapes and dtypes of feeds are checked before anything runs. Feeds are
  // read where they are and results are new tensors, as Callable::Run says, with its
  // errors. NotFound where the graph has no such node or output; InvalidArgument where
  // a tensor is fed twice, or a placeholder that is needed is not fed.
  // FailedPrecondition after Close. The options' deadline and token also end what has
  // to be compiled first.
  Result<std::vector<Tensor>> Run(const std::vector<std::pair<std::string, Tensor>>& feeds,
                                  const std::vector<std::string>& fetches, const std::vector<std::string>& targets = {},
                                  const RunOptions& options = {}, RunMetadata* metadata = nullptr);

  // The same call prepared once: feeds and fetches in that order. Cheapest way
  // to run: see Callable. It may outlive the session, whose Close ends it. Of the options, deadline and token end the
  // compile.
  Result<std::shared_ptr<Callable>> Prepare(const std::vector<std::string>& feeds,
                                            const std::vector<std::string>& fetches,
                                            const std::vector<std::string>& targets = {},
                                            const RunOptions& options = {});

  // Begins a run that goes on in several calls, each with some of these feeds and some
  // of these fetches; what needs no feed runs at once, under the options. Errors as
  // Run's, for all feeds, fetches and targets; Unimplemented, naming the node, where one
  // of these is needed: loops and conditionals, `Gradients` left to the compiler, a
  // new resource made by an op with other effects. Second runs like one before,
  // in the same steps, compile nothing.
  Result<std::unique_ptr<PartialRun>> StartPartialRun(const std::vector<std::string>& feeds,
                                                      const std::vector<std::string>& fetches,
                                                      const std::vector<std::string>& targets = {},
                                                      const RunOptions& options = {});

  // Waits for runs in progress, then frees plans and variables. Later runs fail.
  Status Close();

  // In full ("/job:localhost/replica:0/task:0/device:CPU:0"), the host's first.
  std::vector<std::string> device_names() const;

  // Plans compiled since the session was made.
  int64_t compile_count() const;

 private:
  struct Impl;
  explicit Session(std::shared_ptr<Impl> impl);
  const std::shared_ptr<Impl> impl_;
};

}  // namespace millrace
