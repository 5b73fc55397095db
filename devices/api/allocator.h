// Allocator: where a device's buffers come from, counted and limited.
#pragma once

#include <cstdint>

#include "millrace/devices/api/buffer.h"

namespace millrace {

struct AllocatorStats {
  uint64_t bytes_in_use = 0;
  uint64_t peak_bytes = 0;
  uint64_t allocations = 0;  // since the allocator was made
  uint64_t limit_bytes = 0;  // 0: none
};

// Thread-safe. Buffers may outlive the allocator's user but not the process.
class Allocator {
 public:
  virtual ~Allocator() = default;
  // `bytes` of uninitialised memory, aligned to kBufferAlignment; a size of 0
  // gives a valid buffer. ResourceExhausted, with the figures, where the limit
  // or the system says no.
  virtual Result<Buffer> Allocate(size_t bytes) = 0;
  virtual AllocatorStats stats() const = 0;
};

}  // namespace millrace
