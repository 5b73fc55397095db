// Threads that a guest may start in a host's process.
#pragma once

#include <functional>
#include <pthread.h>

namespace millrace::codegen {

// Starts a thread that calls `*work`, which outlives it, and leaves the host's
// signals alone. False where the system has none to give.
bool startThread(pthread_t *thread, const std::function<void()> *work);

} // namespace millrace::codegen
