#include "millrace/runtime/executor/run_limit.h"

#include <time.h>

#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

int64_t DeadlineOf(const RunOptions& options) {
  if (options.timeout_ms <= 0) return 0;
  if (options.timeout_ms > INT64_MAX / 2'000'000) return INT64_MAX;
  return (options.since_ns != 0 ? options.since_ns : NowNanos()) + options.timeout_ms * 1'000'000;
}

}  // namespace

int64_t NowNanos() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

RunOptions FromNow(RunOptions options) {
  if (options.timeout_ms > 0 && options.since_ns == 0) options.since_ns = NowNanos();
  return options;
}

RunLimit::RunLimit(const RunOptions& options)
    : cancel_(options.cancel), timeout_ms_(options.timeout_ms), deadline_ns_(DeadlineOf(options)) {}

bool RunLimit::PastDeadline() const { return NowNanos() > deadline_ns_; }

Status RunLimit::Error() const {
  if (cancel_ != nullptr && cancel_->cancelled()) return Cancelled("the run was cancelled");
  return DeadlineExceeded(Cat("the run did not end within ", timeout_ms_, " ms"));
}

}  // namespace millrace
