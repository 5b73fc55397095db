// IdleWait: how long an idle thread stays awake before it sleeps. Internal to
// the thread pool.
#pragma once

#include <immintrin.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <cstdint>

namespace millrace {

// Waking a sleeping thread costs its waker a microsecond or two and comes 5 to
// 50 microseconds late, which is more than many a loop is worth. So a thread
// watches for a while first, for about as long as its last waits took: a thread
// that never gets work soon hardly watches at all. It gives way as soon as
// another thread wants the CPU.
class IdleWait {
 public:
  // `never_watch`: sleep at once, because there are fewer CPUs than threads.
  explicit IdleWait(bool never_watch) : budget_(never_watch ? 0 : kStartNanos), never_watch_(never_watch) {}

  // Around each wait.
  void Begin() { begin_ = never_watch_ ? 0 : Now(); }
  void End() {
    if (never_watch_) return;
    const int64_t waited = Now() - begin_;
    if (waited <= kMostNanos) budget_ = std::clamp(2 * waited, budget_ / 2, kMostNanos);
    else budget_ = budget_ / 2;
    budget_ = std::max(budget_, kLeastNanos);
  }

  // True as soon as `arrived` is; false when it is time to sleep.
  template <typename Arrived>
  bool Watch(Arrived arrived) const {
    if (arrived()) return true;
    if (never_watch_) return false;
    for (;;) {
      for (int i = 0; i < kPauses; ++i) {
        _mm_pause();
        if (arrived()) return true;
      }
      const int64_t now = Now();
      if (now - begin_ > budget_) return false;
      if (now - begin_ > kQuietNanos) {
        sched_yield();
        if (arrived()) return true;
        // Somebody else ran meanwhile: this CPU is wanted.
        if (Now() - now > kContendedNanos) return false;
      }
    }
  }

 private:
  static constexpr int64_t kLeastNanos = 2'000, kStartNanos = 50'000, kMostNanos = 200'000;
  static constexpr int64_t kQuietNanos = 5'000, kContendedNanos = 5'000;
  static constexpr int kPauses = 16;

  static int64_t Now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
  }

  int64_t budget_;
  int64_t begin_ = 0;
  const bool never_watch_;
};

}  // namespace millrace
