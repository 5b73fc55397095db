#include "millrace/proto/value/whole_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "millrace/tests/test.h"

namespace {

namespace fs = std::filesystem;
using millrace::ByteSink;
using millrace::Code;
using millrace::OkStatus;
using millrace::Status;
using millrace::WriteWholeFile;

// A folder that goes with its test.
struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "whole_file_XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  size_t files() const { return static_cast<size_t>(std::distance(fs::directory_iterator(path), {})); }
  std::string operator/(const char* name) const { return (path / name).string(); }
  fs::path path;
};

std::string ContentOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Writes "half", and does not get further.
Status HalfAFile(const ByteSink& sink) {
  MR_RETURN_IF_ERROR(sink("half"));
  return millrace::Cancelled("in the middle");
}

}  // namespace

TEST_CASE("a file appears whole, and is replaced with its permissions") {
  const Folder folder;
  MR_REQUIRE_OK(WriteWholeFile(folder / "a", "first"));
  CHECK(ContentOf(folder / "a") == "first");
  REQUIRE(chmod((folder / "a").c_str(), 0640) == 0);
  MR_REQUIRE_OK(WriteWholeFile(folder / "a", [](const ByteSink& sink) {
    MR_RETURN_IF_ERROR(sink("sec"));
    return sink("ond");
  }));
  CHECK(ContentOf(folder / "a") == "second");
  CHECK(fs::status(folder / "a").permissions() == fs::perms{0640});
  CHECK(folder.files() == 1);
}

TEST_CASE("nothing is left of a file that could not be written") {
  const Folder folder;
  CHECK(WriteWholeFile(folder / "new", HalfAFile).code() == Code::kCancelled);
  CHECK(folder.files() == 0);
  MR_REQUIRE_OK(WriteWholeFile(folder / "old", "before"));
  CHECK(WriteWholeFile(folder / "old", HalfAFile).code() == Code::kCancelled);
  CHECK(ContentOf(folder / "old") == "before");
  CHECK(folder.files() == 1);
}

TEST_CASE("nothing is left of a file whose writer was killed") {
  const Folder folder;
  if (const int probe = open(folder.path.c_str(), O_TMPFILE | O_WRONLY, 0600); probe >= 0) {
    close(probe);
  } else {
    MR_SKIP("no files without a name here");
  }
  const std::string path = folder / "new";
  const pid_t child = fork();
  if (child == 0) {
    (void)WriteWholeFile(path, [](const ByteSink& sink) {
      (void)sink(std::string(1 << 20, 'x'));
      raise(SIGKILL);
      return OkStatus();
    });
    _exit(1);
  }
  int how = 0;
  REQUIRE(waitpid(child, &how, 0) == child);
  CHECK(WIFSIGNALED(how));
  CHECK(folder.files() == 0);
}

TEST_CASE("what is no regular file is written to, never replaced") {
  const Folder folder;
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  const int reader = open((folder / "pipe").c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  MR_REQUIRE_OK(WriteWholeFile(folder / "pipe", "through"));
  char got[16] = {};
  CHECK(read(reader, got, sizeof got) == 7);
  CHECK(std::string(got) == "through");
  close(reader);
  CHECK(fs::is_fifo(folder / "pipe"));

  MR_REQUIRE_OK(WriteWholeFile(folder / "a", "before, and longer"));
  fs::create_symlink("a", folder / "link");
  MR_REQUIRE_OK(WriteWholeFile(folder / "link", "after"));
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(ContentOf(folder / "a") == "after");
}

TEST_CASE("errors name the path, and say of what kind they are") {
  const Folder folder;
  const auto code = [](const std::string& path) {
    const Status status = WriteWholeFile(path, "x");
    CHECK(status.message().find("'" + path + "'") != std::string::npos);
    return status.code();
  };
  CHECK(code(folder / "no/such") == Code::kNotFound);
  CHECK(code("") == Code::kNotFound);
  CHECK(code(folder.path.string()) == Code::kFailedPrecondition);
  MR_REQUIRE_OK(WriteWholeFile(folder / "file", "x"));
  CHECK(code(folder / "file/below") == Code::kNotFound);
  if (geteuid() != 0) {
    REQUIRE(chmod((folder / "file").c_str(), 0444) == 0);
    CHECK(code(folder / "file") == Code::kPermissionDenied);
    CHECK(ContentOf(folder / "file") == "x");
  }
}

TEST_CASE("a full disk is RESOURCE_EXHAUSTED, and leaves nothing") {
  const Folder folder;
  // A link to it, as whatever is wrong here must not replace the device.
  if (fs::is_character_file("/dev/full")) {
    fs::create_symlink("/dev/full", folder / "full");
    CHECK(WriteWholeFile(folder / "full", "x").code() == Code::kResourceExhausted);
    fs::remove(folder / "full");
  }
  // As much as files may have here is as good as a disk.
  rlimit before;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 1000;
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  const Status status = WriteWholeFile(folder / "a", std::string(100000, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(status.code() == Code::kResourceExhausted);
  CHECK(folder.files() == 0);
}
