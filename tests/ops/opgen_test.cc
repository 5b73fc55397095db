// opgen: a function for every op, and files that are written only where they
// change.
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

std::string Read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// A folder that goes away with the test.
struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "opgen_test_XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

int Run(const std::string& arguments) { return std::system(Cat("'", MILLRACE_OPGEN, "' ", arguments).c_str()); }

TEST_CASE("opgen writes a function for every op whose name does not begin with an underscore") {
  const Folder folder;
  REQUIRE(Run(folder.path.string()) == 0);
  REQUIRE(Run(Cat("--list > ", folder.path.string(), "/list")) == 0);
  std::set<std::string> listed;
  std::istringstream list(Read(folder.path / "list"));
  for (std::string in, op; list >> in >> op;) {
    INFO(op);
    CHECK(listed.insert(op).second);
    // In the header of its folder, and with a body.
    CHECK(Read(folder.path / (in + "_ops.h")).find(Cat(" ", op, "(At at")) != std::string::npos);
    CHECK(Read(folder.path / (in + "_ops.cc")).find(Cat("\"", op, "\"")) != std::string::npos);
    CHECK(fs::is_directory(fs::path(MILLRACE_SOURCE_DIR) / "ops" / in));
    CHECK(Read(folder.path / "ops.h").find(Cat("/", in, "_ops.h\"")) != std::string::npos);
  }
  for (const Op* op : Registry::BuiltIn().ops()) {
    INFO(op->name());
    CHECK(listed.contains(op->name()) == (op->name()[0] != '_' && op->name() != "Const"));
  }
}

TEST_CASE("opgen leaves files alone that do not change, and mends those that did") {
  const Folder folder;
  REQUIRE(Run(folder.path.string()) == 0);
  const auto old = fs::file_time_type::clock::now() - std::chrono::hours(1);
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder.path)) {
    fs::last_write_time(entry, old);
    ++files;
  }
  CHECK(files > 10);
  const fs::path changed = folder.path / "math_ops.h";
  const std::string before = Read(changed);
  std::ofstream(changed) << "something else";
  REQUIRE(Run(folder.path.string()) == 0);
  CHECK(Read(changed) == before);
  for (const auto& entry : fs::directory_iterator(folder.path)) {
    INFO(entry.path());
    CHECK((fs::last_write_time(entry) == old) == (entry.path() != changed));
  }
  CHECK(Run(Cat(folder.path.string(), "/none 2> /dev/null")) != 0);
  CHECK(Run("2> /dev/null") != 0);
}

}  // namespace
}  // namespace millrace
