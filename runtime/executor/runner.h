// Runner: a loaded plan, its variables and its threads. What a host without a
// compiler uses; Session stands on it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "millrace/devices/api/tensor.h"
#include "millrace/proto/plan/plan.h"
#include "millrace/proto/value/limits.h"
#include "millrace/proto/value/status.h"

namespace millrace {

class Registry;

// Stops runs from outside of them. Thread-safe; one may be given to any number of runs,
// and stays cancelled.
class CancelToken {
 public:
  // Asks to stop: from any thread, any number of times.
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> cancelled_{false};
};

// A run that is cancelled or past its deadline ends with an error: between steps;
// within a step that splits its work, behind the pieces that are in work (a piece is
// what is worth a thread, some 20 microseconds, or one row of the work where that is
// more); within one that does not (matrices that are solved or factored, sorting,
// scans, Unique, strings), at the next look, a third of a millisecond away; while
// Session compiles for it, behind a pass. What only moves or makes elements once, in
// one piece, may end first: a gigabyte takes it a second at most. So does a step that
// writes variables or is of a program's own op.
//
// The error is DeadlineExceeded or Cancelled and names the node that was at work.
// Nothing is left half done: a step that writes a variable has run whole or not at
// all, and the next run finds the session as any other.
struct RunOptions {
  int64_t timeout_ms = 0;               // 0: no deadline
  const CancelToken* cancel = nullptr;  // outlives the run
  bool collect_step_stats = false;      // fills RunMetadata::steps
  // What the timeout counts from, in nanoseconds of CLOCK_MONOTONIC; 0: the call.
  int64_t since_ns = 0;
};

struct StepStats {
  std::string node, op, device;
  uint32_t step = 0;                 // its number in the block that it is of
  int64_t start_ns = 0, end_ns = 0;  // since the run's start
  int thread = 0;
  int64_t bytes = 0;  // of the tensors that it reads and those that it writes
  double flops = 0;   // of products and convolutions; 0: not known
};

struct RunMetadata {
  std::vector<StepStats> steps;
  int64_t peak_bytes = 0;  // of the run's own memory
};

// One signature, ready to run. Thread-safe; each run in progress has its own
// scratch memory, which is kept for the next. After the first run of a set of
// shapes whose sizes are all known from the feeds, a run allocates nothing.
class Callable {
 public:
  virtual ~Callable() = default;
  // "x:0", in the order in which Run takes and gives them.
  virtual const std::vector<std::string>& feed_names() const = 0;
  virtual const std::vector<std::string>& fetch_names() const = 0;

  // `feeds` in order, on the host. They are read where they are, never copied, and
  // never written: memory of the caller's (Buffer::Borrow, FromDLPack) is fed as it is.
  // It is aligned for its elements, and stays as it is until the call returns, which is
  // when the run lets go of it. `fetches` is replaced; the results are new tensors, the
  // caller's own, also where a feed, a constant or a variable is fetched.
  //
  // InvalidArgument for another number of feeds, dtype or shape than expected (names
  // the feed) and for what a node cannot take (names the node); FailedPrecondition for
  // a variable without a value and after Session::Close; ResourceExhausted where memory
  // is short; see RunOptions for the rest. After an error `fetches` says nothing.
  virtual Status Run(const std::vector<Tensor>& feeds, std::vector<Tensor>* fetches, const RunOptions& options = {},
                     RunMetadata* metadata = nullptr) = 0;

  // Into the caller's memory: `feeds` and `outputs` are views, in order; an
  // output's dtype and dims are those that the run gives (InvalidArgument names
  // the fetch otherwise), its data is where the result goes. Plain types only. An
  // output may lie over a feed, not over another output; what it holds after an error
  // is not defined. The rest is as for Run.
  virtual Status RunInto(std::span<const TensorView> feeds, std::span<const TensorView> outputs,
                         const RunOptions& options = {}) = 0;
};

struct RunnerOptions {
  int threads = 0;       // as SessionOptions
  Limits limits = {};    // of the plan (file_bytes) and of runs (memory_bytes); as SessionOptions
  bool no_code = false;  // refuse plans that carry compiled code
  // The ops that the plan's steps are made of; null: the built-in ones. A plan
  // that was made with other definitions is refused (FailedPrecondition). The
  // registry outlives the runner.
  const Registry* registry = nullptr;
};

// Variables live as long as the Runner. Thread-safe.
class Runner {
 public:
  // The plan's bytes, as graphc compile writes them; mapped, not copied. The
  // digests and every index are checked first: DataLoss or InvalidArgument
  // names what is wrong. FromFile names the file, too, and is NotFound where there is
  // none; ResourceExhausted past a limit; FailedPrecondition for a plan of other ops or
  // for devices that are not there. The file may be deleted, but not overwritten, while
  // the runner lives.
  static Result<std::unique_ptr<Runner>> FromFile(const std::string& path, const RunnerOptions& options = {});
  static Result<std::unique_ptr<Runner>> FromBytes(Buffer bytes, const RunnerOptions& options = {});
  virtual ~Runner() = default;

  // Their names, in the order of the plan.
  virtual std::vector<std::string> signatures() const = 0;
  // A signature, ready to run; the same one for each call with that name. It may
  // outlive the runner. NotFound lists the signatures there are.
  virtual Result<std::shared_ptr<Callable>> Prepare(const std::string& signature) = 0;
};

}  // namespace millrace
