#include "millrace/devices/api/buffer.h"

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <vector>

#include "millrace/tests/test.h"

namespace millrace {
namespace {

// A file of `size` bytes, byte i being i * 7; gone with this object.
class TestFile {
 public:
  explicit TestFile(size_t size) {
    char name[] = "/tmp/millrace_buffer_XXXXXX";
    const int fd = mkstemp(name);
    REQUIRE(fd >= 0);
    close(fd);
    path_ = name;
    std::ofstream out(path_, std::ios::binary);
    for (size_t i = 0; i < size; ++i) out.put(static_cast<char>(i * 7));
  }
  ~TestFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("A borrowed buffer is released once, with the last copy or part") {
  std::vector<char> memory(100);
  int released = 0;
  Buffer part;
  {
    const Buffer whole = Buffer::Borrow(memory.data(), memory.size(), [&] { ++released; });
    CHECK(whole.data() == memory.data());
    CHECK(whole.size() == 100);
    CHECK(whole.unique());
    const Buffer copy = whole;
    CHECK_FALSE(whole.unique());
    part = copy.Sub(10, 20);
  }
  CHECK(released == 0);
  CHECK(part.data() == memory.data() + 10);
  CHECK(part.size() == 20);
  part = Buffer();
  CHECK(released == 1);
}

TEST_CASE("A borrowed range of no bytes is a buffer") {
  int released = 0;
  Buffer none = Buffer::Borrow(nullptr, 0, [&] { ++released; });
  CHECK(static_cast<bool>(none));
  none = Buffer();
  CHECK(released == 1);
  CHECK_FALSE(static_cast<bool>(none));
}

TEST_CASE("A mapped file has the file's bytes from any offset, and outlives the file's name") {
  const size_t size = 10000;
  for (const size_t offset : {size_t{0}, size_t{1}, size_t{4096}, size_t{9999}, size_t{10000}}) {
    Buffer mapped;
    {
      const TestFile file(size);
      Result<Buffer> result = Buffer::MapFile(file.path(), offset);
      MR_REQUIRE_OK(result);
      mapped = *result;
    }
    REQUIRE(mapped.size() == size - offset);
    const auto* bytes = static_cast<const uint8_t*>(mapped.data());
    bool same = true;
    for (size_t i = 0; i < mapped.size(); ++i) same = same && bytes[i] == static_cast<uint8_t>((offset + i) * 7);
    CHECK(same);
  }
}

TEST_CASE("A part of a file is mapped alone") {
  const TestFile file(10000);
  const Result<Buffer> mapped = Buffer::MapFile(file.path(), 5000, 10);
  MR_REQUIRE_OK(mapped);
  CHECK(mapped->size() == 10);
  CHECK(*static_cast<const uint8_t*>(mapped->data()) == static_cast<uint8_t>(5000 * 7));
}

TEST_CASE("Mapping what is not there says so") {
  const TestFile file(100);
  CHECK(Buffer::MapFile(file.path() + ".not_there").status().code() == Code::kNotFound);
  CHECK(Buffer::MapFile("/tmp").status().code() == Code::kInvalidArgument);
  const Status past = Buffer::MapFile(file.path(), 101).status();
  CHECK(past.code() == Code::kInvalidArgument);
  CHECK(past.message().find("100") != std::string::npos);
  CHECK(Buffer::MapFile(file.path(), 50, 51).status().code() == Code::kInvalidArgument);
  CHECK(Buffer::MapFile(file.path(), SIZE_MAX - 10, 20).status().code() == Code::kInvalidArgument);
}

}  // namespace millrace
