// RunLimit: when a call ends though it is not done.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

#include "millrace/runtime/executor/runner.h"

namespace millrace {

// Nanoseconds of a clock that only goes forward (CLOCK_MONOTONIC).
int64_t NowNanos();

// The same options, whose timeout counts from now where they do not say since when:
// for calls that do something before they run.
RunOptions FromNow(RunOptions options);

// The cancel token and the deadline of one call's options. Thread-safe.
class RunLimit {
 public:
  // The token is the caller's; the time counts from options.since_ns.
  explicit RunLimit(const RunOptions& options);

  // Whether there is one at all.
  bool any() const { return cancel_ != nullptr || deadline_ns_ != 0; }
  bool Reached() const { return (cancel_ != nullptr && cancel_->cancelled()) || (deadline_ns_ != 0 && PastDeadline()); }
  // Cancelled or DeadlineExceeded: which of the two was reached.
  Status Error() const;

  // Takes the lock, or gives up at the limit: others may compile under it.
  Status Acquire(std::unique_lock<std::timed_mutex>& lock) const {
    if (!any()) lock.lock();
    while (!lock.owns_lock() && !lock.try_lock_for(std::chrono::milliseconds(1))) {
      if (Reached()) return Error();
    }
    return OkStatus();
  }

 private:
  bool PastDeadline() const;

  const CancelToken* const cancel_;
  const int64_t timeout_ms_;
  const int64_t deadline_ns_;  // 0: none
};

}  // namespace millrace
