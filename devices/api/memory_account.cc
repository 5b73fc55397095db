#include "millrace/devices/api/memory_account.h"

#include "millrace/proto/value/strings.h"

namespace millrace {

Status MemoryAccount::Reserve(uint64_t bytes) {
  uint64_t used = in_use_.load(std::memory_order_relaxed);
  const uint64_t limit = limit_ == 0 ? UINT64_MAX : limit_;
  do {
    if (used > limit || bytes > limit - used) {
      return ResourceExhausted(Cat(Figures(bytes), ": the limit memory_bytes is ", limit));
    }
  } while (!in_use_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  const uint64_t now = used + bytes;
  uint64_t peak = peak_.load(std::memory_order_relaxed);
  while (peak < now && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
  allocations_.fetch_add(1, std::memory_order_relaxed);
  return OkStatus();
}

Status MemoryAccount::SystemRefused(uint64_t bytes) const {
  return ResourceExhausted(Cat(Figures(bytes), ": the system has no such memory"));
}

std::string MemoryAccount::Figures(uint64_t bytes) const {
  return Cat(owner_, " cannot allocate ", bytes, " bytes with ", in_use_.load(std::memory_order_relaxed), " in use");
}

AllocatorStats MemoryAccount::stats() const {
  AllocatorStats stats;
  stats.bytes_in_use = in_use_.load(std::memory_order_relaxed);
  stats.peak_bytes = peak_.load(std::memory_order_relaxed);
  stats.allocations = allocations_.load(std::memory_order_relaxed);
  stats.limit_bytes = limit_;
  return stats;
}

}  // namespace millrace
