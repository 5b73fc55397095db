// NewCodeMaker: code for clusters in use, made beside their runs.
#include "millrace/compiler/api/code.h"
#include "millrace/compiler/codegen/Library.h"
#include "millrace/compiler/codegen/Make.h"
#include "millrace/compiler/codegen/Tapes.h"
#include "millrace/compiler/codegen/Threads.h"
#include "millrace/devices/cpu/float_state.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <sys/resource.h>
#include <unistd.h>

namespace millrace {
namespace {

using namespace codegen;

/// What the makers of this process share: which of them have had a thread, so that
/// the end of the process can close them, and in which process that was.
class Process {
public:
  /// True in the process of the first call and false in its later children, where a
  /// thread that held any lock may have been lost.
  bool mine() {
    pid_t expected = 0;
    const pid_t here = getpid();
    return owner.compare_exchange_strong(expected, here) || expected == here;
  }
  /// True in a child that was forked after `mine` was called in its parent.
  bool lost() const {
    const pid_t known = owner.load();
    return known != 0 && known != getpid();
  }

  void closeAtExit(const std::shared_ptr<CodeMaker> &maker) {
    const std::lock_guard<std::mutex> lock(mutex);
    if (!registered)
      registered = std::atexit([] { get().closeAll(); }) == 0;
    std::erase_if(makers, [](const auto &known) { return known.expired(); });
    makers.push_back(maker);
  }

  static Process &get() {
    static Process *const process = new Process; // never destroyed: used at exit
    return *process;
  }

private:
  void closeAll() {
    if (lost())
      return;
    std::vector<std::weak_ptr<CodeMaker>> all;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      all.swap(makers);
    }
    for (const std::weak_ptr<CodeMaker> &known : all)
      if (const std::shared_ptr<CodeMaker> maker = known.lock())
        maker->Close();
  }

  std::atomic<pid_t> owner{0};
  std::mutex mutex;
  bool registered = false;                      // guarded by mutex
  std::vector<std::weak_ptr<CodeMaker>> makers; // guarded by mutex
};

/// The instruction set that code for this CPU is made for, if any.
std::optional<Isa> isaOf(const CodeOptions &options) {
  const auto named = [&](Isa isa) {
    return options.targets.empty() || std::count(options.targets.begin(), options.targets.end(),
                                                 std::string(IsaName(isa))) > 0;
  };
  const Isa best = ActiveIsa();
  if (named(best))
    return best;
  if (best == Isa::kAvx512 && named(Isa::kAvx2))
    return Isa::kAvx2;
  return std::nullopt;
}

class Background final : public CodeMaker, public std::enable_shared_from_this<Background> {
public:
  explicit Background(const CodeOptions &options)
      : isa(isaOf(options)), cache(options.cache_dir, options.cache_bytes),
        cached(!options.cache_dir.empty()), state(std::make_unique<State>()) {}

  ~Background() override {
    Close();
    // What the lost thread was about to change, nobody touches.
    if (Process::get().lost())
      static_cast<void>(state.release());
  }

  void Want(std::shared_ptr<CodeUser> user) override {
    if (!isa || !Process::get().mine() || (!cached && !mayOpenLibrary()))
      return;
    const std::lock_guard<std::mutex> lock(state->mutex);
    if (state->closed)
      return;
    state->users.push_back(std::move(user));
    if (state->running)
      return;
    join();
    if (!state->listed)
      Process::get().closeAtExit(shared_from_this());
    state->listed = true;
    state->running = state->joinable = startThread(&state->thread, &work);
    if (!state->running)
      state->users.clear(); // the system has no thread to give
  }

  void Close() override {
    if (Process::get().lost())
      return;
    std::deque<std::shared_ptr<CodeUser>> left;
    {
      const std::lock_guard<std::mutex> lock(state->mutex);
      state->closed = true;
      left.swap(state->users);
    }
    // From here on the thread is nobody else's; whoever closes too waits as well.
    const std::lock_guard<std::mutex> lock(state->closing);
    join();
  }

private:
  // The thread.
  void makeAll() {
    pthread_setname_np(pthread_self(), "millrace code");
    // Not that of the run which the thread was started in.
    const DefaultFloatState floats;
    // Runs come first.
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 10);
    for (bool compiled = false;;) {
      std::shared_ptr<CodeUser> user;
      {
        const std::lock_guard<std::mutex> lock(state->mutex);
        if (!state->users.empty()) {
          user = std::move(state->users.front());
          state->users.pop_front();
        } else if (!compiled) {
          state->running = false;
          return;
        }
      }
      if (user) {
        compiled = make(*user) || compiled;
      } else {
        cache.trim();
        compiled = false;
      }
    }
  }

  struct State {
    std::mutex mutex, closing;
    // Guarded by mutex.
    std::deque<std::shared_ptr<CodeUser>> users;
    bool closed = false, listed = false;
    bool running = false; // the thread will look at users again
    // Guarded by mutex, and once closed by `closing`: a thread that was not joined.
    bool joinable = false;
    pthread_t thread = {};
    // The thread's own: what was made, for other clusters that compute the same.
    std::map<std::string, std::shared_ptr<const CodeStore>> pieces;
  };

  void join() {
    if (state->joinable)
      pthread_join(state->thread, nullptr);
    state->joinable = false;
  }

  // True where something was compiled.
  bool make(CodeUser &user) {
    const std::vector<SegmentTape> segments = recordProgram(user.program(), user.registry());
    if (segments.empty())
      return false;
    const std::string key = contentKey(segments);
    bool compiled = false;
    const auto [it, fresh] = state->pieces.try_emplace(key);
    if (fresh) {
      const Made made = makeCode(key, segments, *isa, cache);
      compiled = !made.blob.empty() && !made.cached;
      const CodeStore::Item item{key, IsaName(*isa), made.blob};
      it->second = CodeStore::Load({&item, 1}, *isa);
    }
    if (it->second)
      user.Use(it->second, key);
    return compiled;
  }

  const std::optional<Isa> isa;
  const Cache cache;
  const bool cached;
  const std::function<void()> work = [this] { makeAll(); };
  std::unique_ptr<State> state;
};

} // namespace

std::shared_ptr<CodeMaker> NewCodeMaker(const CodeOptions &options) {
  return std::make_shared<Background>(options);
}

} // namespace millrace
