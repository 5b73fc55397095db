#include "millrace/compiler/codegen/Threads.h"

#include <csignal>

namespace millrace::codegen {

bool startThread(pthread_t *thread, const std::function<void()> *work) {
  const auto entry = [](void *argument) -> void * {
    (*static_cast<const std::function<void()> *>(argument))();
    return nullptr;
  };
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const bool started =
      pthread_create(thread, nullptr, +entry, const_cast<std::function<void()> *>(work)) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

} // namespace millrace::codegen
