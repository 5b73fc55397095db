#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

// An allocation that cannot be is an error that we test for, also where a
// sanitizer would rather stop. LLVM's libraries come without instrumentation, so
// a vector that they grew looks overflowed, and memory
// that our calls of their headers poisoned is never released.
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options() {
  return "allocator_may_return_null=1:detect_container_overflow=0:allow_user_poisoning=0";
}
extern "C" __attribute__((visibility("default"))) const char* __tsan_default_options() {
  return "allocator_may_return_null=1";
}
