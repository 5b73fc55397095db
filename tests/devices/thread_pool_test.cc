#include "millrace/devices/api/thread_pool.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "millrace/devices/cpu/float_state.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

size_t ThreadsOfProcess() {
  // A sanitizer makes a thread of its own along with a program's first.
  static const bool warm = [] {
    std::thread([] {}).join();
    return true;
  }();
  size_t n = warm ? 0 : 1;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) ++n;
  return n;
}

using Blocks = std::set<std::pair<int64_t, int64_t>>;

Blocks BlocksOf(ThreadPool& pool, int64_t total, int64_t block) {
  std::mutex mutex;
  Blocks blocks;
  pool.ParallelFor(total, block, [&](int64_t begin, int64_t end, int) {
    const std::lock_guard<std::mutex> lock(mutex);
    REQUIRE(blocks.emplace(begin, end).second);
  });
  return blocks;
}

void Spin(int microseconds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(microseconds);
  while (std::chrono::steady_clock::now() < until) {
  }
}

// A binary tree of tasks, each of which schedules two more.
struct TreeTask final : Task {
  ThreadPool* pool = nullptr;
  std::vector<TreeTask>* tasks = nullptr;
  std::atomic<int>* left = nullptr;
  size_t index = 0;
  void Run() override {
    for (size_t child = 2 * index + 1; child <= 2 * index + 2; ++child) {
      if (child < tasks->size()) pool->Schedule(&(*tasks)[child]);
    }
    if (index % 16 == 0) {
      pool->ParallelFor(8, 1, [](int64_t, int64_t, int) {});
    }
    // With the last one done, this task may be gone.
    ThreadPool* const waker = pool;
    if (left->fetch_sub(1) == 1) waker->Wake();
  }
};

void RunTree(ThreadPool& pool, size_t size) {
  std::vector<TreeTask> tasks(size);
  std::atomic<int> left{static_cast<int>(size)};
  for (size_t i = 0; i < size; ++i) {
    tasks[i].pool = &pool;
    tasks[i].tasks = &tasks;
    tasks[i].left = &left;
    tasks[i].index = i;
  }
  pool.Schedule(&tasks[0]);
  pool.HelpUntil([&] { return left.load() == 0; });
}

}  // namespace

TEST_CASE("The boundaries of a loop's blocks do not depend on the number of threads") {
  for (const auto& [total, block] : std::vector<std::pair<int64_t, int64_t>>{
           {1, 1}, {10, 3}, {100, 7}, {1000, 1000}, {1001, 1000}, {64, 64}, {5, 0}, {0, 4}, {-3, 4}}) {
    Blocks expected;
    const int64_t step = std::max<int64_t>(block, 1);
    for (int64_t i = 0; i < total; i += step) expected.emplace(i, std::min(total, i + step));
    for (const int threads : {1, 2, 3, 8}) {
      ThreadPool pool(threads);
      CHECK(BlocksOf(pool, total, block) == expected);
    }
  }
}

TEST_CASE("A loop near the largest total does not overflow") {
  ThreadPool pool(2);
  const Blocks blocks = BlocksOf(pool, INT64_MAX, INT64_MAX / 2);
  CHECK(blocks == Blocks{{0, INT64_MAX / 2}, {INT64_MAX / 2, INT64_MAX - 1}, {INT64_MAX - 1, INT64_MAX}});
}

TEST_CASE("Bodies that run at once have different workers below the number of threads") {
  const int threads = 4;
  ThreadPool pool(threads);
  std::atomic<int> inside[threads] = {};
  std::atomic<bool> clash{false};
  for (int round = 0; round < 200; ++round) {
    pool.ParallelFor(64, 1, [&](int64_t, int64_t, int worker) {
      if (worker < 0 || worker >= threads || inside[worker].fetch_add(1) != 0) clash = true;
      Spin(2);
      inside[worker].fetch_sub(1);
    });
  }
  CHECK_FALSE(clash);
}

TEST_CASE("The workers do take part") {
  ThreadPool pool(2);
  std::atomic<int> helped{0};
  for (int round = 0; round < 500 && helped == 0; ++round) {
    pool.ParallelFor(2, 1, [&](int64_t, int64_t, int worker) {
      if (worker != 0) ++helped;
      Spin(200);
    });
  }
  CHECK(helped > 0);
}

TEST_CASE("Each thread begins with neighbouring blocks of its own, the same ones in every loop") {
  ThreadPool pool(2);
  int helped = 0;
  for (int round = 0; round < 500 && helped < 20; ++round) {
    int64_t first[2] = {-1, -1};
    pool.ParallelFor(8, 1, [&](int64_t begin, int64_t, int worker) {
      if (first[worker] < 0) first[worker] = begin;
      Spin(50);
    });
    CHECK(first[0] == 0);
    if (first[1] < 0) continue;
    ++helped;
    CHECK(first[1] >= 4);
  }
  CHECK(helped > 0);
}

TEST_CASE("Loops inside loops run every block once") {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> counts(8 * 9 * 10);
  pool.ParallelFor(8, 1, [&](int64_t i, int64_t, int) {
    pool.ParallelFor(9, 2, [&](int64_t begin, int64_t end, int) {
      for (int64_t j = begin; j < end; ++j) {
        pool.ParallelFor(10, 3, [&](int64_t b, int64_t e, int) {
          for (int64_t k = b; k < e; ++k) ++counts[static_cast<size_t>((i * 9 + j) * 10 + k)];
        });
      }
    });
  });
  bool all_once = true;
  for (const auto& c : counts) all_once = all_once && c == 1;
  CHECK(all_once);
}

TEST_CASE("Several callers share a pool") {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  std::atomic<int64_t> sum{0};
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        pool.ParallelFor(100, 9, [&](int64_t begin, int64_t end, int) { sum += end - begin; });
      }
      RunTree(pool, 300);
    });
  }
  for (std::thread& t : callers) t.join();
  CHECK(sum == 4 * 200 * 100);
}

TEST_CASE("Tasks that schedule tasks all run, at any number of threads") {
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 20; ++round) RunTree(pool, 1000);
    for (int round = 0; round < 200; ++round) RunTree(pool, 3);
  }
}

TEST_CASE("A task from elsewhere reaches a pool whose threads all sleep") {
  struct Flag final : Task {
    ThreadPool* pool;
    std::atomic<bool> ran{false};
    void Run() override {
      ThreadPool* const waker = pool;
      ran = true;
      waker->Wake();
    }
  };
  for (const int threads : {1, 2}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 20; ++round) {
      Flag flag;
      flag.pool = &pool;
      std::thread other([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        pool.Schedule(&flag);
      });
      pool.HelpUntil([&] { return flag.ran.load(); });
      other.join();
      CHECK(flag.ran);
    }
  }
}

TEST_CASE("One thread is the caller's own: no other is ever made") {
  const size_t before = ThreadsOfProcess();
  ThreadPool pool(1);
  std::set<std::thread::id> ids;
  pool.ParallelFor(100, 1, [&](int64_t, int64_t, int worker) {
    CHECK(worker == 0);
    ids.insert(std::this_thread::get_id());
  });
  RunTree(pool, 100);
  CHECK(ids == std::set<std::thread::id>{std::this_thread::get_id()});
  CHECK(ThreadsOfProcess() == before);
}

TEST_CASE("Workers start with the first loop of two blocks, and are gone with the pool") {
  const size_t before = ThreadsOfProcess();
  {
    ThreadPool pool(3);
    pool.ParallelFor(10, 10, [](int64_t, int64_t, int) {});
    CHECK(ThreadsOfProcess() == before);
    pool.ParallelFor(10, 1, [](int64_t, int64_t, int) {});
    CHECK(ThreadsOfProcess() == before + 2);
  }
  // A joined thread's entry may stay for an instant.
  for (int i = 0; i < 1000 && ThreadsOfProcess() != before; ++i) Spin(1000);
  CHECK(ThreadsOfProcess() == before);
}

TEST_CASE("Workers block signals and flush denormals") {
  ThreadPool pool(2);
  std::atomic<int> seen{0};
  std::atomic<bool> open{false}, normal{false};
  const FlushDenormals flush;
  for (int round = 0; round < 500 && seen == 0; ++round) {
    pool.ParallelFor(2, 1, [&](int64_t, int64_t, int worker) {
      if (worker == 1) {
        ++seen;
        sigset_t blocked;
        pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
        if (sigismember(&blocked, SIGINT) != 1 || sigismember(&blocked, SIGPROF) != 1) open = true;
        if ((_mm_getcsr() & 0x8040) != 0x8040) normal = true;
      }
      Spin(200);
    });
  }
  REQUIRE(seen > 0);
  CHECK_FALSE(open);
  CHECK_FALSE(normal);
  sigset_t mine;
  pthread_sigmask(SIG_SETMASK, nullptr, &mine);
  CHECK(sigismember(&mine, SIGINT) == 0);
}

TEST_CASE("In a forked child a pool with workers says so, and neither hangs nor crashes") {
  ThreadPool used(2), fresh(2);
  used.ParallelFor(4, 1, [](int64_t, int64_t, int) {});
  REQUIRE(used.CheckUsable().ok());
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int wrong = 0;
    if (used.CheckUsable().code() != Code::kFailedPrecondition) wrong |= 1;
    if (!fresh.CheckUsable().ok()) wrong |= 2;
    int blocks = 0;
    used.ParallelFor(4, 1, [&](int64_t, int64_t, int) { ++blocks; });
    if (blocks != 4) wrong |= 4;
    used.~ThreadPool();
    _exit(wrong);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(used.CheckUsable().ok());
}

}  // namespace millrace
