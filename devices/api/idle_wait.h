// How long an idle thread stays awake before it sleeps, and when a sleeping one
// is worth waking. Internal to the thread pool.
#pragma once

#include <immintrin.h>
#include <sched.h>
#include <time.h>

#include <atomic>
#include <cstdint>

namespace millrace {

inline int64_t MonotonicNanos() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

// Waking a sleeping thread costs its waker 2 to 15 microseconds and comes as
// late, which is more than many a loop is worth. So a thread watches for a while
// first; loops that follow each other find it awake. After a while it gives way to
// any other thread that wants the CPU.
class IdleWait {
 public:
  // The longest that a thread watches. A fixed time: shortening it after a wait
  // in vain would keep threads asleep that were only once too late.
  static constexpr int64_t kMostNanos = 200'000;

  // `never_watch`: sleep at once, because there are fewer CPUs than threads.
  explicit IdleWait(bool never_watch) : never_watch_(never_watch) {}

  // True as soon as `arrived` is; false when it is time to sleep.
  template <typename Arrived>
  bool Watch(Arrived arrived) const {
    if (arrived()) return true;
    if (never_watch_) return false;
    const int64_t begin = MonotonicNanos();
    for (;;) {
      for (int i = 0; i < kPauses; ++i) {
        _mm_pause();
        if (arrived()) return true;
      }
      const int64_t now = MonotonicNanos();
      if (now - begin > kMostNanos) return false;
      if (now - begin > kQuietNanos) {
        sched_yield();
        if (arrived()) return true;
        // Somebody else ran meanwhile: this CPU is wanted.
        if (MonotonicNanos() - now > kContendedNanos) return false;
      }
    }
  }

 private:
  static constexpr int64_t kQuietNanos = 50'000, kContendedNanos = 5'000;
  static constexpr int kPauses = 16;

  const bool never_watch_;
};

// Decides for a loop whose helpers are asleep. Waking them costs its caller about
// as much as a short loop saves, so it pays for a long loop, or for one of many
// that come soon after each other: the helpers then are awake for the next. What
// short loops could have saved so far is kept as credit. Thread-safe; a lost
// update does no harm.
class WakeDecision {
 public:
  // `crowded`: nobody watches, so one loop must be worth it alone.
  explicit WakeDecision(bool crowded) : crowded_(crowded) {}

  // A loop begins at `now`.
  void Begin(int64_t now) {
    if (now - last_.load(std::memory_order_relaxed) > IdleWait::kMostNanos) {
      credit_.store(0, std::memory_order_relaxed);
    }
  }
  // Whether to wake helpers that would save about `saved` nanoseconds.
  bool IsWorthIt(int64_t saved) {
    if (saved + credit_.load(std::memory_order_relaxed) < kCostNanos) return false;
    credit_.store(0, std::memory_order_relaxed);
    return true;
  }
  // A loop ended alone at `now`; helpers would have saved `saved` nanoseconds.
  void End(int64_t now, int64_t saved) {
    last_.store(now, std::memory_order_relaxed);
    if (!crowded_) credit_.store(credit_.load(std::memory_order_relaxed) + saved, std::memory_order_relaxed);
  }

 private:
  static constexpr int64_t kCostNanos = 25'000;

  const bool crowded_;
  std::atomic<int64_t> credit_{0}, last_{0};
};

}  // namespace millrace
