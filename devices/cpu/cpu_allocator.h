// CpuAllocator: aligned host memory with an account.
#pragma once

#include <memory>
#include <string>

#include "millrace/devices/api/memory_account.h"

namespace millrace {

class CpuAllocator final : public Allocator {
 public:
  // As MemoryAccount's constructor.
  CpuAllocator(std::string owner, uint64_t limit_bytes)
      : account_(std::make_shared<MemoryAccount>(std::move(owner), limit_bytes)) {}
  // Sizes are rounded up to kBufferAlignment, in memory and in the account.
  Result<Buffer> Allocate(size_t bytes) override;
  AllocatorStats stats() const override { return account_->stats(); }

 private:
  std::shared_ptr<MemoryAccount> account_;
};

}  // namespace millrace
