// The cache of compiled code on disk: what is whole is found again, and nothing
// that can be wrong with the folder or a file is more than a miss.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "millrace/compiler/codegen/Cache.h"
#include "millrace/ops/cluster/code.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using codegen::Cache;

constexpr int64_t kRoom = 1 << 20;

// A folder of the test's own that goes away with it.
struct Folder {
  Folder() {
    char name[] = "/tmp/millrace_cache_XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() {
    std::error_code ignored;
    fs::permissions(path, fs::perms::owner_all, ignored);
    fs::remove_all(path, ignored);
  }
  fs::path path;
};

std::string BlobOf(char fill, size_t bytes = 100) {
  cluster::CompiledProgram program;
  program.segments.push_back({0, 8, 0, 0, 0});
  program.code.assign(bytes, fill);
  return cluster::EncodeCode(program);
}

std::string ContentOf(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void Write(const fs::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
}
size_t Files(const fs::path& folder) {
  size_t n = 0;
  for ([[maybe_unused]] const auto& file : fs::directory_iterator(folder)) ++n;
  return n;
}
fs::path FileOf(const Folder& folder, const std::string& key) { return folder.path / (key + ".mrcode"); }

TEST_CASE("a cache gives back what was put into it, in this process and the next") {
  const Folder folder;
  const std::string inside = (folder.path / "made" / "on the way").string();
  const Cache cache(inside, kRoom);
  CHECK_FALSE(cache.get("key").has_value());
  cache.put("key", BlobOf('a'));
  REQUIRE(cache.get("key").has_value());
  CHECK(*cache.get("key") == BlobOf('a'));
  CHECK(*Cache(inside, kRoom).get("key") == BlobOf('a'));
  CHECK_FALSE(cache.get("other").has_value());
  cache.put("key", BlobOf('b'));  // the newer one
  CHECK(*cache.get("key") == BlobOf('b'));
  CHECK(Files(inside) == 1);
}

TEST_CASE("no folder is a cache that is empty") {
  const Cache none("", kRoom);
  none.put("key", BlobOf('a'));
  CHECK_FALSE(none.get("key").has_value());
  none.trim();
}

TEST_CASE("entries that are cut short, damaged, empty or of another key are misses") {
  const Folder folder;
  const Cache cache(folder.path.string(), kRoom);
  cache.put("key", BlobOf('a'));
  const fs::path file = FileOf(folder, "key");
  const std::string whole = ContentOf(file);
  for (size_t length = 0; length < whole.size(); ++length) {
    Write(file, whole.substr(0, length));
    CHECK_FALSE(cache.get("key").has_value());
  }
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    Write(file, damaged);
    CHECK_FALSE(cache.get("key").has_value());
  }
  Write(file, whole + "more");
  CHECK_FALSE(cache.get("key").has_value());
  Write(FileOf(folder, "another"), whole);  // renamed by somebody
  CHECK_FALSE(cache.get("another").has_value());
  Write(file, whole);
  CHECK(cache.get("key").has_value());
}

TEST_CASE("entries that others may write, links and folders in the place of files are misses") {
  const Folder folder;
  const Cache cache(folder.path.string(), kRoom);
  cache.put("key", BlobOf('a'));
  const fs::path file = FileOf(folder, "key");
  fs::permissions(file, fs::perms::others_write, fs::perm_options::add);
  CHECK_FALSE(cache.get("key").has_value());
  fs::permissions(file, fs::perms::others_write, fs::perm_options::remove);
  CHECK(cache.get("key").has_value());
  fs::create_symlink(file, FileOf(folder, "link"));
  CHECK_FALSE(cache.get("link").has_value());
  fs::create_directory(FileOf(folder, "folder"));
  CHECK_FALSE(cache.get("folder").has_value());
  cache.put("folder", BlobOf('a'));
  CHECK_FALSE(cache.get("folder").has_value());
  REQUIRE(mkfifo(FileOf(folder, "pipe").c_str(), 0600) == 0);
  CHECK_FALSE(cache.get("pipe").has_value());  // and it does not wait for a writer
}

TEST_CASE("a folder that is a file, or cannot be made, only means misses") {
  const Folder folder;
  Write(folder.path / "file", "x");
  const Cache file((folder.path / "file").string(), kRoom), below((folder.path / "file" / "below").string(), kRoom);
  const Cache nowhere("/proc/self/no/such/folder", kRoom);
  for (const Cache* cache : {&file, &below, &nowhere}) {
    cache->put("key", BlobOf('a'));
    CHECK_FALSE(cache->get("key").has_value());
    cache->trim();
  }
}

// What `check` says in a child process of a user who is not root.
bool HoldsForPlainUser(const Folder& folder, bool (*check)(const Folder&)) {
  constexpr uid_t kNobody = 65534;
  const bool root = geteuid() == 0;
  if (root) REQUIRE(chown(folder.path.c_str(), kNobody, kNobody) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit((!root || setresuid(kNobody, kNobody, kNobody) == 0) && check(folder) ? 0 : 1);
  int state = 0;
  REQUIRE(waitpid(child, &state, 0) == child);
  return WIFEXITED(state) && WEXITSTATUS(state) == 0;
}

TEST_CASE("a folder that may only be read gives what it has and takes nothing") {
  const Folder folder;
  CHECK(HoldsForPlainUser(folder, [](const Folder& f) {
    const Cache cache(f.path.string(), kRoom);
    cache.put("key", BlobOf('a'));
    fs::permissions(f.path, fs::perms::owner_read | fs::perms::owner_exec);
    if (access(f.path.c_str(), W_OK) == 0) return false;  // then this tests nothing
    cache.put("other", BlobOf('b'));
    const Cache none(f.path.string(), 0);
    none.trim();
    return cache.get("key").has_value() && !cache.get("other").has_value() && Files(f.path) == 1;
  }));
}

TEST_CASE("entries of another user are misses") {
  if (geteuid() != 0) MR_SKIP("only root can make files of another user");
  const Folder folder;
  const Cache cache(folder.path.string(), kRoom);
  cache.put("key", BlobOf('a'));
  REQUIRE(cache.get("key").has_value());
  REQUIRE(chown(FileOf(folder, "key").c_str(), 65534, 65534) == 0);
  CHECK_FALSE(cache.get("key").has_value());
}

TEST_CASE("a device that is full leaves no half entries") {
  const Folder folder;
  const Cache cache(folder.path.string(), kRoom);
  // The limit on the size of files stands in for a full disk.
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit none{16, 16};
    setrlimit(RLIMIT_FSIZE, &none);
    cache.put("key", BlobOf('a'));
    _exit(cache.get("key").has_value() ? 1 : 0);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(Files(folder.path) == 0);
}

TEST_CASE("a cache stays within its size: what was used last stays") {
  const Folder folder;
  const int64_t one = static_cast<int64_t>(BlobOf('a', 1000).size()) + 1;
  const Cache cache(folder.path.string(), 3 * one + one / 2);
  for (const char key : std::string("abcde")) {
    cache.put(std::string(1, key), BlobOf(key, 1000));
    // Older than all that follow.
    const utimbuf time{1000000000 + key, 1000000000 + key};
    REQUIRE(utime(FileOf(folder, std::string(1, key)).c_str(), &time) == 0);
  }
  CHECK(cache.get("a").has_value());  // used now
  Write(folder.path / "somebody's file", std::string(100000, 'x'));
  cache.trim();
  CHECK(cache.get("a").has_value());
  CHECK_FALSE(cache.get("b").has_value());
  CHECK_FALSE(cache.get("c").has_value());
  CHECK(cache.get("d").has_value());
  CHECK(cache.get("e").has_value());
  CHECK(fs::exists(folder.path / "somebody's file"));
  // More than fits at all is not even tried.
  cache.put("huge", BlobOf('h', 100000));
  CHECK_FALSE(cache.get("huge").has_value());
}

TEST_CASE("what dead writers left behind goes, what a living one writes stays") {
  const Folder folder;
  const Cache cache(folder.path.string(), kRoom);
  Write(folder.path / "key.1.0.part", "old");
  const utimbuf time{1000000000, 1000000000};
  REQUIRE(utime((folder.path / "key.1.0.part").c_str(), &time) == 0);
  Write(folder.path / "key.2.0.part", "new");
  cache.trim();
  CHECK_FALSE(fs::exists(folder.path / "key.1.0.part"));
  CHECK(fs::exists(folder.path / "key.2.0.part"));
}

TEST_CASE("processes and threads that share a cache see whole entries or none") {
  const Folder folder;
  const auto work = [&](int worker) {
    const Cache cache(folder.path.string(), 40 * 1024);
    for (int i = 0; i < 150; ++i) {
      const std::string key = Cat("key", (i * 7 + worker) % 11);
      if (const std::optional<std::string> found = cache.get(key)) {
        const Result<cluster::CompiledProgram> program = cluster::DecodeCode(*found);
        if (!program.ok() || program->code != std::string(program->code.size(), program->code[0])) return false;
      } else {
        cache.put(key, BlobOf(static_cast<char>('a' + i % 26), 5000));
      }
      if (i % 10 == 0) cache.trim();
    }
    return true;
  };
  std::vector<pid_t> children;
  for (int p = 0; p < 3; ++p) {
    const pid_t child = fork();
    if (child == 0) _exit(work(p) ? 0 : 1);
    children.push_back(child);
  }
  bool good[2] = {};
  std::thread other([&] { good[0] = work(5); });
  good[1] = work(6);
  other.join();
  CHECK(good[0]);
  CHECK(good[1]);
  for (const pid_t child : children) {
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
}

}  // namespace
}  // namespace millrace
