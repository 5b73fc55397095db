// ThreadPool: the one pool that steps and the splits inside them share.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "millrace/proto/value/status.h"

namespace millrace {

// A unit of work that its owner keeps alive until it ran: scheduling allocates
// nothing.
class Task {
 public:
  virtual ~Task() = default;
  virtual void Run() = 0;

 private:
  friend class ThreadPool;
  Task* next_ = nullptr;
};

// A pool of `threads` counts the caller: one thread means the caller's own and
// no other. Workers start with the first call that wants them, block signals,
// and flush denormals. Thread-safe.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  // Joins the workers; no task may be pending.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  // body(begin, end, worker) for the blocks [0, block), [block, 2 block) ... of
  // [0, total). The boundaries depend on `total` and `block` alone, so results
  // do not depend on the number of threads. `worker` is in [0, threads()): two
  // calls that run at once have different ones, for scratch memory. The caller
  // takes part; returns when all blocks are done. May be called from inside a
  // body or a task. `total` <= `block` runs in the caller at once.
  void ParallelFor(int64_t total, int64_t block, absl::FunctionRef<void(int64_t, int64_t, int)> body);

  // Runs `task` on some worker, or on a thread that is waiting in HelpUntil.
  void Schedule(Task* task);
  // Runs pending tasks in the caller until `done` returns true; sleeps where
  // there are none. Whoever makes `done` true calls Wake afterwards, through a
  // pointer of its own: what the waiting caller owns, tasks included, may be
  // gone by then.
  void HelpUntil(absl::FunctionRef<bool()> done);
  void Wake();

  // FailedPrecondition in a child process that was forked after workers had
  // started: they are not there.
  Status CheckUsable() const;

 private:
  struct Impl;
  const int threads_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace
