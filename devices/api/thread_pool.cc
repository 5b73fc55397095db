// One mutex guards the queue of tasks and the list of loops in progress; it is
// held for a few instructions at a time. Two words that only count upwards say
// that there is something new: idle threads watch them, first awake for a short
// while, then asleep in the kernel.
#include "millrace/devices/api/thread_pool.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <mutex>
#include <vector>

#include "millrace/devices/api/idle_wait.h"
#include "millrace/devices/cpu/float_state.h"

namespace millrace {
namespace {

void FutexWait(std::atomic<uint32_t>& word, uint32_t expected) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}
void FutexWake(std::atomic<uint32_t>& word, int count) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

// Whether there are fewer CPUs for this process than `threads`.
bool IsCrowded(int threads) {
  cpu_set_t cpus;
  return sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) < threads;
}

// Forks since the first pool started workers, as seen from this process.
std::atomic<uint32_t> fork_generation{0};

void RegisterForkHandler() {
  static const int registered =
      pthread_atfork(nullptr, nullptr, [] { fork_generation.fetch_add(1, std::memory_order_relaxed); });
  static_cast<void>(registered);
}

// The number of this thread in its pool; 0 for threads that no pool made.
thread_local int home = 0;

// One ParallelFor, on its caller's stack. Its blocks are dealt out in shares, each
// of neighbouring blocks; a thread begins with the share of its number and goes on
// to the next ones. So loops over the same data, one after the other, find in each
// core's cache what the one before left there.
class Loop {
 public:
  Loop(int64_t total, int64_t block, absl::FunctionRef<void(int64_t, int64_t, int)> body, int threads)
      : blocks((total - 1) / block + 1),
        total_(total),
        block_(block),
        body_(body),
        num_shares_(static_cast<int>(std::min<int64_t>({blocks, threads, kMostShares}))) {
    const int64_t each = blocks / num_shares_, more = blocks % num_shares_;
    int64_t begin = 0;
    for (int s = 0; s < num_shares_; ++s) {
      shares_[s].next.store(begin, std::memory_order_relaxed);
      begin += each + (s < more ? 1 : 0);
      shares_[s].end = begin;
    }
  }

  const int64_t blocks;
  // Threads other than the caller that are inside, plus kCallerWaits.
  alignas(64) std::atomic<uint32_t> helpers{0};
  static constexpr uint32_t kCallerWaits = 1u << 31;
  // Guarded by the pool's mutex.
  int workers = 1;  // numbers handed out: the caller's is 0
  Loop* next = nullptr;
  Loop* previous = nullptr;

  // Blocks that nobody has begun.
  int64_t left() const {
    int64_t sum = 0;
    for (int s = 0; s < num_shares_; ++s) {
      sum += std::max<int64_t>(shares_[s].end - shares_[s].next.load(std::memory_order_relaxed), 0);
    }
    return sum;
  }
  // The share with which the calling thread begins.
  int FirstShare() const { return home % num_shares_; }
  // Runs a block of share `*share`, or of the first one after it that has any; false
  // where no block is left.
  bool RunBlock(int worker, int* share) {
    for (int tries = 0; tries < num_shares_; ++tries) {
      Share& from = shares_[*share];
      if (from.next.load(std::memory_order_relaxed) < from.end) {
        const int64_t i = from.next.fetch_add(1, std::memory_order_relaxed);
        if (i < from.end) {
          body_(i * block_, i == blocks - 1 ? total_ : (i + 1) * block_, worker);
          return true;
        }
      }
      if (++*share == num_shares_) *share = 0;
    }
    return false;
  }
  void RunBlocks(int worker, int share) {
    while (RunBlock(worker, &share)) {
    }
  }

 private:
  static constexpr int kMostShares = 16;
  struct alignas(64) Share {
    std::atomic<int64_t> next;
    int64_t end;
  };

  const int64_t total_, block_;
  const absl::FunctionRef<void(int64_t, int64_t, int)> body_;
  const int num_shares_;
  Share shares_[kMostShares];
};

}  // namespace

struct ThreadPool::Impl {
  explicit Impl(int threads) : threads(threads), crowded(threads > 1 && IsCrowded(threads)) {}

  const int threads;
  const bool crowded;  // no thread waits awake

  std::mutex mutex;
  Task* first_task = nullptr;      // guarded by mutex
  Task* last_task = nullptr;       // guarded by mutex
  Loop* loops = nullptr;           // guarded by mutex; the newest first
  std::vector<pthread_t> workers;  // guarded by start_mutex
  std::mutex start_mutex;
  std::atomic<bool> started{false};
  std::atomic<bool> stopping{false};
  std::atomic<int> homes_given{0};
  uint32_t generation = 0;  // fork_generation when the workers started

  // Entries in the queue and the list, for a look without the mutex.
  alignas(64) std::atomic<int> tasks_pending{0};
  std::atomic<int> loops_open{0};

  // What idle threads watch. `work` counts arrivals; workers sleep on it. `wake`
  // counts calls of Wake, and arrivals that go to a thread in HelpUntil, which
  // sleeps on it.
  alignas(64) std::atomic<uint32_t> work{0};
  std::atomic<uint32_t> wake{0};
  std::atomic<int> workers_watching{0};  // awake and idle
  std::atomic<int> workers_asleep{0};
  std::atomic<int> helpers_asleep{0};
  WakeDecision wake_decision{crowded};

  bool forked() const {
    return started.load(std::memory_order_acquire) && generation != fork_generation.load(std::memory_order_relaxed);
  }

  void Start() {
    if (started.load(std::memory_order_acquire)) return;
    const std::lock_guard<std::mutex> lock(start_mutex);
    if (started.load(std::memory_order_relaxed)) return;
    RegisterForkHandler();
    generation = fork_generation.load(std::memory_order_relaxed);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int i = 1; i < threads; ++i) {
      pthread_t worker;
      // Where the system has no more threads, there are fewer workers: every
      // loop and every HelpUntil gets done by its caller.
      if (pthread_create(&worker, nullptr, &WorkerMain, this) != 0) break;
      pthread_setname_np(worker, "millrace");
      workers.push_back(worker);
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    started.store(true, std::memory_order_release);
  }

  // Says that there is work for up to `count` threads, to those that are awake.
  // Returns how many more could help that are asleep. A thread that counts as
  // watching, or as asleep but is not yet, looks at `work` once more before it
  // sleeps.
  int Announce(int count) {
    work.fetch_add(1, std::memory_order_seq_cst);
    const int missing = count - workers_watching.load(std::memory_order_seq_cst);
    if (missing <= 0) return 0;
    return std::min(missing,
                    workers_asleep.load(std::memory_order_seq_cst) + helpers_asleep.load(std::memory_order_seq_cst));
  }

  // Wakes `count` of those that are asleep.
  void WakeAsleep(int count) {
    const int asleep = workers_asleep.load(std::memory_order_seq_cst);
    if (asleep > 0) FutexWake(work, std::min(count, asleep));
    // All of them: some only wait for the end of a loop and would take the one
    // wake-up for nothing.
    if (count > asleep) WakeHelpers();
  }

  void AnnounceTask() {
    const int asleep = Announce(1);
    if (asleep > 0) WakeAsleep(asleep);
  }

  // The caller's share of a loop in which `asleep` more threads could help.
  void RunAndWake(Loop& loop, int asleep) {
    const int64_t begin = MonotonicNanos();
    wake_decision.Begin(begin);
    int share = loop.FirstShare();
    for (int64_t ran = 1; loop.RunBlock(0, &share); ++ran) {
      const int64_t elapsed = MonotonicNanos() - begin;
      const int64_t left = loop.left();
      const auto to_come = static_cast<double>(elapsed) / static_cast<double>(ran) * static_cast<double>(left);
      if (left > 0 && wake_decision.IsWorthIt(static_cast<int64_t>(to_come * asleep / (asleep + 1)))) {
        WakeAsleep(static_cast<int>(std::min<int64_t>(asleep, left)));
        loop.RunBlocks(0, share);
        return;
      }
    }
    const int64_t end = MonotonicNanos();
    wake_decision.End(end, (end - begin) * asleep / (asleep + 1));
  }

  void WakeHelpers() {
    wake.fetch_add(1, std::memory_order_seq_cst);
    if (helpers_asleep.load(std::memory_order_seq_cst) > 0) FutexWake(wake, INT_MAX);
  }

  // Does one piece of work, if there is one: a share of a loop first, because
  // somebody waits for it, else a task.
  bool RunOne() {
    if (loops_open.load(std::memory_order_acquire) == 0 && tasks_pending.load(std::memory_order_acquire) == 0) {
      return false;
    }
    Loop* loop = nullptr;
    Task* task = nullptr;
    int worker = 0;
    bool more = false;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      for (loop = loops; loop != nullptr; loop = loop->next) {
        if (loop->workers < threads && loop->left() > 0) break;
      }
      if (loop != nullptr) {
        worker = loop->workers++;
        loop->helpers.fetch_add(1, std::memory_order_relaxed);
      } else if (first_task != nullptr) {
        task = first_task;
        first_task = task->next_;
        if (first_task == nullptr) last_task = nullptr;
        more = tasks_pending.fetch_sub(1, std::memory_order_relaxed) > 1;
      }
    }
    if (loop != nullptr) {
      loop->RunBlocks(worker, loop->FirstShare());
      // After this the loop may be gone.
      if (loop->helpers.fetch_sub(1, std::memory_order_acq_rel) == (Loop::kCallerWaits | 1)) WakeHelpers();
      return true;
    }
    if (task == nullptr) return false;
    // Several tasks may have come while one thread was waking up for the first.
    if (more) AnnounceTask();
    task->Run();
    return true;
  }

  static void* WorkerMain(void* self) {
    const FlushDenormals flush;
    Impl& pool = *static_cast<Impl*>(self);
    home = pool.homes_given.fetch_add(1, std::memory_order_relaxed) + 1;
    pool.Work();
    return nullptr;
  }

  void Work() {
    const IdleWait idle(crowded);
    for (;;) {
      const uint32_t seen = work.load(std::memory_order_seq_cst);
      if (RunOne()) continue;
      if (stopping.load(std::memory_order_acquire)) return;
      workers_watching.fetch_add(1, std::memory_order_seq_cst);
      const bool arrived = idle.Watch([&] { return work.load(std::memory_order_acquire) != seen; });
      workers_watching.fetch_sub(1, std::memory_order_seq_cst);
      if (!arrived) {
        workers_asleep.fetch_add(1, std::memory_order_seq_cst);
        FutexWait(work, seen);
        workers_asleep.fetch_sub(1, std::memory_order_seq_cst);
      }
    }
  }

  // Sleeps until `wake` is not `seen_wake` or `work` is not `seen_work`, or for
  // no reason.
  void SleepAsHelper(uint32_t seen_wake, uint32_t seen_work) {
    helpers_asleep.fetch_add(1, std::memory_order_seq_cst);
    if (work.load(std::memory_order_seq_cst) == seen_work) FutexWait(wake, seen_wake);
    helpers_asleep.fetch_sub(1, std::memory_order_seq_cst);
  }

  // Until all helpers have left a loop that none can enter any more.
  void WaitForHelpers(Loop& loop) {
    if (loop.helpers.load(std::memory_order_acquire) == 0) return;
    IdleWait idle(crowded);
    if (idle.Watch([&] { return loop.helpers.load(std::memory_order_acquire) == 0; })) return;
    if (loop.helpers.fetch_or(Loop::kCallerWaits, std::memory_order_acq_rel) == 0) return;
    for (;;) {
      const uint32_t seen = wake.load(std::memory_order_seq_cst);
      if (loop.helpers.load(std::memory_order_acquire) == Loop::kCallerWaits) return;
      SleepAsHelper(seen, work.load(std::memory_order_seq_cst));
    }
  }
};

ThreadPool::ThreadPool(int threads) : threads_(std::max(threads, 1)), impl_(std::make_unique<Impl>(threads_)) {}

ThreadPool::~ThreadPool() {
  // In a forked child there is nobody to join.
  if (impl_->forked()) return;
  impl_->stopping.store(true, std::memory_order_release);
  impl_->work.fetch_add(1, std::memory_order_seq_cst);
  FutexWake(impl_->work, INT_MAX);
  for (const pthread_t worker : impl_->workers) pthread_join(worker, nullptr);
}

void ThreadPool::ParallelFor(int64_t total, int64_t block, absl::FunctionRef<void(int64_t, int64_t, int)> body) {
  if (total <= 0) return;
  block = std::max<int64_t>(block, 1);
  if (total <= block) {
    body(0, total, 0);
    return;
  }
  Loop loop(total, block, body, threads_);
  Impl& pool = *impl_;
  if (threads_ == 1 || pool.forked()) {
    loop.RunBlocks(0, 0);
    return;
  }
  pool.Start();
  {
    const std::lock_guard<std::mutex> lock(pool.mutex);
    loop.next = pool.loops;
    if (loop.next != nullptr) loop.next->previous = &loop;
    pool.loops = &loop;
    pool.loops_open.fetch_add(1, std::memory_order_release);
  }
  const int asleep = pool.Announce(static_cast<int>(std::min<int64_t>(loop.blocks, threads_)) - 1);
  if (asleep > 0) {
    pool.RunAndWake(loop, asleep);
  } else {
    loop.RunBlocks(0, loop.FirstShare());
  }
  {
    const std::lock_guard<std::mutex> lock(pool.mutex);
    (loop.previous != nullptr ? loop.previous->next : pool.loops) = loop.next;
    if (loop.next != nullptr) loop.next->previous = loop.previous;
    pool.loops_open.fetch_sub(1, std::memory_order_release);
  }
  pool.WaitForHelpers(loop);
}

void ThreadPool::Schedule(Task* task) {
  Impl& pool = *impl_;
  task->next_ = nullptr;
  if (threads_ > 1) pool.Start();
  {
    const std::lock_guard<std::mutex> lock(pool.mutex);
    (pool.last_task != nullptr ? pool.last_task->next_ : pool.first_task) = task;
    pool.last_task = task;
    pool.tasks_pending.fetch_add(1, std::memory_order_release);
  }
  pool.AnnounceTask();
}

void ThreadPool::HelpUntil(absl::FunctionRef<bool()> done) {
  Impl& pool = *impl_;
  IdleWait idle(threads_ == 1 || pool.crowded);
  for (;;) {
    const uint32_t seen_work = pool.work.load(std::memory_order_seq_cst);
    const uint32_t seen_wake = pool.wake.load(std::memory_order_seq_cst);
    if (done()) break;
    if (pool.RunOne()) continue;
    if (!idle.Watch([&] {
          return pool.work.load(std::memory_order_acquire) != seen_work ||
                 pool.wake.load(std::memory_order_acquire) != seen_wake;
        })) {
      pool.SleepAsHelper(seen_wake, seen_work);
    }
  }
  // Work may have been announced to this thread, which now leaves.
  if (pool.tasks_pending.load(std::memory_order_acquire) > 0) pool.AnnounceTask();
}

void ThreadPool::Wake() { impl_->WakeHelpers(); }

Status ThreadPool::CheckUsable() const {
  if (!impl_->forked()) return OkStatus();
  return FailedPrecondition(
      "this process was forked after the thread pool had started its workers, which are not in the child: "
      "make the session after the fork");
}

}  // namespace millrace
