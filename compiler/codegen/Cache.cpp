#include "millrace/compiler/codegen/Cache.h"

#include "millrace/ops/cluster/code.h"
#include "millrace/proto/value/strings.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace millrace::codegen {
namespace {

constexpr std::string_view kSuffix = ".mrcode";
constexpr std::string_view kPart = ".part";
constexpr off_t kMaxEntry = off_t{64} << 20;
constexpr time_t kDeadWriter = 3600; // seconds

// Closes what it holds.
class Descriptor {
public:
  explicit Descriptor(int fd) : fd(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  int get() const { return fd; }
  bool close() {
    const int given = fd;
    fd = -1;
    return given < 0 || ::close(given) == 0;
  }

private:
  int fd;
};

bool hasSuffix(std::string_view name, std::string_view suffix) {
  return name.size() > suffix.size() && name.substr(name.size() - suffix.size()) == suffix;
}

bool writeAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

bool makeFolders(const std::string &folder) {
  for (size_t at = 1; at <= folder.size(); ++at) {
    if (at != folder.size() && folder[at] != '/')
      continue;
    if (mkdir(folder.substr(0, at).c_str(), 0700) != 0 && errno != EEXIST)
      return false;
  }
  return true;
}

} // namespace

std::optional<std::string> Cache::get(std::string_view key) const {
  if (folder.empty())
    return std::nullopt;
  const Descriptor file(
      open(Cat(folder, "/", key, kSuffix).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info;
  if (file.get() < 0 || fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) ||
      info.st_uid != geteuid() || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
      info.st_size > kMaxEntry || info.st_size <= static_cast<off_t>(key.size()))
    return std::nullopt;
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t n = read(file.get(), bytes.data() + have, bytes.size() - have);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return std::nullopt;
    have += static_cast<size_t>(n);
  }
  if (std::string_view(bytes).substr(0, key.size()) != key)
    return std::nullopt;
  bytes.erase(0, key.size());
  if (!cluster::DecodeCode(bytes).ok())
    return std::nullopt;
  futimens(file.get(), nullptr); // used now
  return bytes;
}

void Cache::put(std::string_view key, std::string_view blob) const {
  if (folder.empty() || static_cast<int64_t>(blob.size()) > maxBytes || !makeFolders(folder))
    return;
  // A name of this writer's own, in the same folder, so that renaming is atomic.
  static std::atomic<uint64_t> counter{0};
  const std::string part = Cat(folder, "/", key, ".", getpid(), ".", counter.fetch_add(1), kPart);
  Descriptor file(open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0)
    return;
  const bool whole = writeAll(file.get(), key) && writeAll(file.get(), blob) && file.close();
  if (!whole || rename(part.c_str(), Cat(folder, "/", key, kSuffix).c_str()) != 0)
    unlink(part.c_str());
}

void Cache::trim() const {
  if (folder.empty())
    return;
  DIR *dir = opendir(folder.c_str());
  if (!dir)
    return;
  struct Entry {
    timespec used;
    int64_t bytes;
    std::string path;
  };
  std::vector<Entry> entries;
  int64_t total = 0;
  const time_t now = time(nullptr);
  while (const dirent *item = readdir(dir)) {
    const std::string_view name = item->d_name;
    const bool part = hasSuffix(name, kPart);
    if (!part && !hasSuffix(name, kSuffix))
      continue; // not ours
    const std::string path = Cat(folder, "/", name);
    struct stat info;
    if (lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode))
      continue;
    if (part) {
      if (now - info.st_mtim.tv_sec > kDeadWriter)
        unlink(path.c_str());
      continue;
    }
    entries.push_back({info.st_mtim, info.st_size, path});
    total += info.st_size;
  }
  closedir(dir);
  std::sort(entries.begin(), entries.end(), [](const Entry &a, const Entry &b) {
    return a.used.tv_sec != b.used.tv_sec     ? a.used.tv_sec < b.used.tv_sec
           : a.used.tv_nsec != b.used.tv_nsec ? a.used.tv_nsec < b.used.tv_nsec
                                              : a.path < b.path;
  });
  for (const Entry &entry : entries) {
    if (total <= maxBytes)
      return;
    if (unlink(entry.path.c_str()) == 0)
      total -= entry.bytes;
  }
}

} // namespace millrace::codegen
