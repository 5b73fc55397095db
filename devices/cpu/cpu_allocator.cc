#include "millrace/devices/cpu/cpu_allocator.h"

#include <cstdlib>

#include "millrace/devices/api/tensor.h"

namespace millrace {

Result<Buffer> CpuAllocator::Allocate(size_t bytes) {
  // No object may be larger than this; it also keeps the rounding from wrapping.
  if (bytes > static_cast<size_t>(PTRDIFF_MAX) - kBufferAlignment) return account_->SystemRefused(bytes);
  const size_t rounded =
      bytes == 0 ? kBufferAlignment : (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
  MR_RETURN_IF_ERROR(account_->Reserve(rounded));
  void* data = std::aligned_alloc(kBufferAlignment, rounded);
  if (data == nullptr) {
    account_->Release(rounded);
    return account_->SystemRefused(bytes);
  }
  std::shared_ptr<void> owner(data, [account = account_, rounded](void* p) {
    std::free(p);
    account->Release(rounded);
  });
  return Buffer(std::move(owner), data, bytes);
}

Allocator& HostAllocator() {
  // Never destroyed: buffers may be released by other libraries' destructors.
  static CpuAllocator* const allocator = new CpuAllocator("host memory", 0);
  return *allocator;
}

}  // namespace millrace
