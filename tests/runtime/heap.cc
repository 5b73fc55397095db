#include "millrace/tests/runtime/heap.h"

#include <cerrno>

namespace millrace::testing {
bool (*on_allocation)(size_t bytes) = nullptr;
}  // namespace millrace::testing

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
namespace {
bool Fails(size_t bytes) {
  return millrace::testing::on_allocation != nullptr && millrace::testing::on_allocation(bytes);
}
}  // namespace

#define MR_HEAP __attribute__((visibility("default")))
// glibc's own names stay reachable behind these.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
MR_HEAP void* malloc(size_t n) { return Fails(n) ? nullptr : __libc_malloc(n); }
MR_HEAP void* calloc(size_t n, size_t m) { return Fails(n * m) ? nullptr : __libc_calloc(n, m); }
MR_HEAP void* realloc(void* p, size_t n) { return Fails(n) ? nullptr : __libc_realloc(p, n); }
MR_HEAP void* aligned_alloc(size_t a, size_t n) { return Fails(n) ? nullptr : __libc_memalign(a, n); }
MR_HEAP int posix_memalign(void** p, size_t a, size_t n) {
  void* const got = Fails(n) ? nullptr : __libc_memalign(a, n);
  if (got == nullptr) return ENOMEM;
  *p = got;
  return 0;
}
}
#endif
