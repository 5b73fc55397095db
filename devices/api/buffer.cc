#include "millrace/devices/api/buffer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "millrace/devices/api/mapped_file.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// Closes the descriptor on every way out.
struct FileDescriptor {
  int fd;
  ~FileDescriptor() {
    if (fd >= 0) close(fd);
  }
};

Status FileError(const std::string& path, const char* what) {
  const int error = errno;
  std::string message = Cat(what, " '", path, "': ", std::strerror(error));
  return error == ENOENT ? NotFound(std::move(message)) : InvalidArgument(std::move(message));
}

}  // namespace

Buffer Buffer::Borrow(void* data, size_t size, std::function<void()> release) {
  // The pointer that the owner counts must not be null, so that a borrowed
  // range of no bytes is a buffer as well.
  void* const counted = data != nullptr ? data : reinterpret_cast<void*>(kBufferAlignment);
  return Buffer(std::shared_ptr<void>(counted,
                                      [release = std::move(release)](void*) {
                                        if (release) release();
                                      }),
                data, size);
}

Result<Buffer> Buffer::MapFile(const std::string& path, size_t offset, size_t size) {
  const FileDescriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return FileError(path, "cannot open");
  struct stat info;
  if (fstat(file.fd, &info) != 0) return FileError(path, "cannot examine");
  if (!S_ISREG(info.st_mode)) return InvalidArgument(Cat("'", path, "' is not a regular file"));
  const auto length = static_cast<size_t>(info.st_size);
  if (offset > length || (size != SIZE_MAX && size > length - offset)) {
    return InvalidArgument(Cat("'", path, "' has ", length, " bytes: expected at least ",
                               size == SIZE_MAX ? "" : Cat(size, " from "), "offset ", offset));
  }
  if (size == SIZE_MAX) size = length - offset;
  if (size == 0) return Borrow(nullptr, 0);
  const size_t lead = offset % static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t mapped = size + lead;
  void* base = mmap(nullptr, mapped, PROT_READ, MAP_PRIVATE, file.fd, static_cast<off_t>(offset - lead));
  if (base == MAP_FAILED) return FileError(path, "cannot map");
  std::shared_ptr<void> owner(base, [mapped](void* p) { munmap(p, mapped); });
  return Buffer(std::move(owner), static_cast<char*>(base) + lead, size);
}

void ReleasePages(const Buffer& mapped) {
  // Whole pages: the mapping begins with one, and nothing else is in its last.
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(mapped.data()) / page * page;
  const uintptr_t end = reinterpret_cast<uintptr_t>(mapped.data()) + mapped.size();
  if (mapped.size() > 0) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace millrace
