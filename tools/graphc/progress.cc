#include "millrace/tools/graphc/progress.h"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <thread>

#include "millrace/proto/value/strings.h"

namespace millrace::graphc {
namespace {

using Clock = std::chrono::steady_clock;

class Line {
 public:
  Line() : thread_([this] { Show(); }) {}
  ~Line() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  void Set(std::string what) {
    const std::lock_guard lock(mutex_);
    what_ = std::move(what);
  }

 private:
  void Show() {
    constexpr std::chrono::milliseconds kFirst{1000}, kNext{200};
    const auto begin = Clock::now();
    std::unique_lock lock(mutex_);
    bool shown = false;
    std::chrono::milliseconds wait = kFirst;
    while (!changed_.wait_for(lock, wait, [this] { return done_; })) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - begin).count();
      std::fputs(Cat("\r\033[K", what_, " (", seconds, " s)").c_str(), stderr);
      shown = true;
      wait = kNext;
    }
    if (shown) std::fputs("\r\033[K", stderr);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string what_;
  bool done_ = false;
  std::thread thread_;  // last: it uses the others
};

std::unique_ptr<Line>& TheLine() {
  static std::unique_ptr<Line> line;
  return line;
}

}  // namespace

void Stage(std::string what) {
  static const bool terminal = isatty(STDERR_FILENO) == 1;
  if (!terminal) return;
  std::unique_ptr<Line>& line = TheLine();
  if (line == nullptr) line = std::make_unique<Line>();
  line->Set(std::move(what));
}

void EndProgress() { TheLine().reset(); }

}  // namespace millrace::graphc
