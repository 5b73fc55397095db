#include "millrace/proto/value/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

Status Failed(const std::string& path, int why) {
  Code code = Code::kFailedPrecondition;
  if (why == ENOENT || why == ENOTDIR) code = Code::kNotFound;
  if (why == EACCES || why == EPERM || why == EROFS) code = Code::kPermissionDenied;
  if (why == ENOSPC || why == EDQUOT || why == EFBIG) code = Code::kResourceExhausted;
  return Status(code, Cat("cannot write '", path, "': ", std::strerror(why)));
}

// Closes `fd`, whatever comes of it.
Status WriteTo(int fd, const std::string& path, const std::function<Status(const ByteSink&)>& content) {
  std::FILE* const file = fdopen(fd, "wb");
  if (file == nullptr) {
    const int why = errno;
    close(fd);
    return Failed(path, why);
  }
  Status status = content([&](std::string_view piece) {
    return std::fwrite(piece.data(), 1, piece.size(), file) == piece.size() ? OkStatus() : Failed(path, errno);
  });
  if (std::fclose(file) != 0 && status.ok()) status = Failed(path, errno);
  return status;
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// A file in the folder of `path` that has no name yet, so that nothing is left of it
// where the process ends; -1 where the file system has no such thing.
int OpenNameless(const std::string& path) {
  if (access("/proc/self/fd", X_OK) != 0) return -1;  // what it gets its name through
  return open(FolderOf(path).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
}

bool GiveName(int nameless, const std::string& name) {
  const std::string self = Cat("/proc/self/fd/", nameless);
  return linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

}  // namespace

Status WriteWholeFile(const std::string& path, const std::function<Status(const ByteSink&)>& content) {
  struct stat before;
  const bool exists = lstat(path.c_str(), &before) == 0;
  if (exists && !S_ISREG(before.st_mode)) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return fd < 0 ? Failed(path, errno) : WriteTo(fd, path, content);
  }
  // Replacing a file asks for its folder alone; who made it read-only meant more.
  if (exists && access(path.c_str(), W_OK) != 0) return Failed(path, errno);

  static std::atomic<int> count{0};
  const std::string beside = Cat(path, ".", getpid(), "-", ++count, ".partial");
  int fd = OpenNameless(path);
  const bool nameless = fd >= 0;
  if (!nameless) fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return Failed(path, errno);
  if (exists) fchmod(fd, before.st_mode & 07777);
  const int kept = nameless ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
  Status status = nameless && kept < 0 ? Failed(path, errno) : OkStatus();
  const Status written = WriteTo(fd, path, content);
  if (status.ok()) status = written;
  if (status.ok() && nameless && !GiveName(kept, beside)) status = Failed(path, errno);
  if (status.ok() && std::rename(beside.c_str(), path.c_str()) != 0) status = Failed(path, errno);
  if (kept >= 0) close(kept);
  if (!status.ok()) std::remove(beside.c_str());
  return status;
}

Status WriteWholeFile(const std::string& path, std::string_view bytes) {
  return WriteWholeFile(path, [&](const ByteSink& sink) { return sink(bytes); });
}

}  // namespace millrace
