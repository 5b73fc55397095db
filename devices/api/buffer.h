// Buffer: a counted reference to a range of memory, wherever it came from.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "millrace/proto/value/status.h"

namespace millrace {

// Every buffer that Millrace allocates starts at a multiple of this many bytes,
// and may be read (not written) up to the next multiple past its end.
inline constexpr size_t kBufferAlignment = 64;

// Copies share the memory, which is released with the last of them. Counting is
// thread-safe; access to the bytes is the holders' business.
class Buffer {
 public:
  Buffer() = default;
  Buffer(std::shared_ptr<void> owner, void* data, size_t size) : owner_(std::move(owner)), data_(data), size_(size) {}

  // Views memory of the caller's; `release` is called when the last copy goes,
  // on whatever thread that happens. The memory need not be aligned.
  static Buffer Borrow(void* data, size_t size, std::function<void()> release = {});
  // The bytes of a file, read-only, mapped. NotFound or InvalidArgument where
  // the file cannot be read or is shorter than offset + size.
  static Result<Buffer> MapFile(const std::string& path, size_t offset = 0, size_t size = SIZE_MAX);

  // A part of this buffer that keeps the whole alive. offset + size <= size().
  Buffer Sub(size_t offset, size_t size) const { return Buffer(owner_, static_cast<char*>(data_) + offset, size); }

  void* data() const { return data_; }
  size_t size() const { return size_; }
  explicit operator bool() const { return owner_ != nullptr; }
  // True where nobody else holds the memory: only then may it be changed in
  // place without asking.
  bool unique() const { return owner_.use_count() == 1; }
  // Keeps the memory alive; for handing it to a host.
  const std::shared_ptr<void>& owner() const { return owner_; }

 private:
  std::shared_ptr<void> owner_;
  void* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace millrace
