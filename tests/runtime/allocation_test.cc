// Prepared runs allocate nothing: every way to the heap is counted.
#include <dlfcn.h>

#include <atomic>
#include <cstdlib>

#include "millrace/tests/runtime/plan_builder.h"
#include "millrace/tests/test.h"

namespace {
std::atomic<bool> counting{false};
std::atomic<long> allocations{0};
void Count() {
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
}
}  // namespace

#if !defined(__has_feature)
#define __has_feature(x) 0
#endif
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MR_COUNTS_ALLOCATIONS 0
#else
#define MR_COUNTS_ALLOCATIONS 1
// glibc's own names stay reachable behind these.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void* malloc(size_t n) {
  Count();
  return __libc_malloc(n);
}
void* calloc(size_t n, size_t m) {
  Count();
  return __libc_calloc(n, m);
}
void* realloc(void* p, size_t n) {
  Count();
  return __libc_realloc(p, n);
}
void* aligned_alloc(size_t a, size_t n) {
  Count();
  return __libc_memalign(a, n);
}
int posix_memalign(void** p, size_t a, size_t n) {
  Count();
  *p = __libc_memalign(a, n);
  return *p != nullptr ? 0 : 12;
}
}
#endif

namespace millrace::testing {

TEST_CASE("a thousand prepared runs allocate nothing") {
  if (!MR_COUNTS_ALLOCATIONS) MR_SKIP("the sanitizer owns the heap");
  PlanBuilder b;
  const uint32_t x = b.Feed("x:0", {-1});
  const uint32_t c = b.Constant({1}, {0.5f});
  const uint32_t w = b.Slot("w:0", b.DimsOf(x)), up = b.Slot("pair:0", b.DimsOf(x)), z = b.Slot("z:0", b.DimsOf(x));
  b.Step("Work", "w", {x}, {w});
  b.Step("Pair", "pair", {w}, {up, plan::kNone});
  b.Step("Mul", "z", {up, c}, {z});
  b.Fetch("z:0", z);
  b.Fetch("w:0", w);
  for (int threads : {1, 2}) {
    auto runner = Load(b.plan, threads);
    MR_REQUIRE_OK(runner);
    auto callable = (*runner)->Prepare("run");
    MR_REQUIRE_OK(callable);
    std::vector<float> in(70000, 1.f), out(70000), also(70000);
    for (const int64_t n : {int64_t{70000}, int64_t{3}}) {
      const TensorView feed{in.data(), DType::kFloat, 1, &n, n};
      const TensorView outputs[] = {{out.data(), DType::kFloat, 1, &n, n}, {also.data(), DType::kFloat, 1, &n, n}};
      for (int i = 0; i < 3; ++i) MR_REQUIRE_OK((*callable)->RunInto({&feed, 1}, outputs));
      allocations = 0;
      counting = true;
      bool ok = true;
      for (int i = 0; i < 1000; ++i) ok &= (*callable)->RunInto({&feed, 1}, outputs).ok();
      counting = false;
      CHECK(ok);
      CHECK(allocations == 0);
      CHECK(out[2] == 1.25f);
    }
  }
  // The counter counts.
  counting = true;
  std::free(std::malloc(1));
  counting = false;
  CHECK(allocations > 0);
}

}  // namespace millrace::testing
