// MemoryAccount: the book-keeping of an allocator, the same for every device.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "millrace/devices/api/allocator.h"

namespace millrace {

// Counts the bytes in use against a limit. Thread-safe. Buffers keep their
// account alive, so it may outlive the allocator.
class MemoryAccount {
 public:
  // `owner` names the allocator in messages ("/device:CPU:0"); a limit of 0 is
  // none.
  MemoryAccount(std::string owner, uint64_t limit_bytes) : owner_(std::move(owner)), limit_(limit_bytes) {}

  // Books `bytes`. ResourceExhausted, with request, use and limit, where that
  // would pass the limit; nothing is booked then.
  Status Reserve(uint64_t bytes);
  // Gives back what Reserve booked.
  void Release(uint64_t bytes) { in_use_.fetch_sub(bytes, std::memory_order_relaxed); }
  // The error for a request that the system refused.
  Status SystemRefused(uint64_t bytes) const;

  AllocatorStats stats() const;

 private:
  std::string Figures(uint64_t bytes) const;

  const std::string owner_;
  const uint64_t limit_;
  std::atomic<uint64_t> in_use_{0}, peak_{0}, allocations_{0};
};

}  // namespace millrace
