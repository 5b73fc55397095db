#include "millrace/proto/value/limits.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "millrace/proto/value/strings.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

TEST_CASE("every limit is set by its name, and what is no limit or no number is refused as a whole") {
  for (const LimitInfo& limit : AllLimits()) {
    Limits limits;
    MR_REQUIRE_OK(SetLimits(Cat(limit.name, "=7"), &limits));
    CHECK(limits.*limit.value == 7);
    limits.*limit.value = Limits().*limit.value;
    CHECK(limits == Limits());
  }
  Limits limits;
  MR_REQUIRE_OK(SetLimits("clusters=3,file_bytes=0,clusters=4", &limits));
  CHECK(limits == Limits{.file_bytes = 0, .clusters = 4});
  MR_REQUIRE_OK(SetLimits("", &limits));
  for (const char* text : {"clusters", "clusters=", "clusters=-1", "clusters=1e3", ",clusters=1", "cluster=1", "=1",
                           "clusters=99999999999999999999", "file_bytes=5,nodes=3"}) {
    INFO(text);
    const Status status = SetLimits(text, &limits);
    CHECK(status.code() == Code::kInvalidArgument);
    CHECK(limits == Limits{.file_bytes = 0, .clusters = 4});
  }
  CHECK(SetLimits("nodes=3", &limits).message().find("file_nodes, message_depth") != std::string_view::npos);
}

TEST_CASE("the environment overrules limits, and a mistake in it is an error that says so") {
  unsetenv("MILLRACE_LIMITS");
  const Limits own{.clusters = 5, .memory_bytes = 6};
  CHECK(*LimitsFromEnvironment(own) == own);
  setenv("MILLRACE_LIMITS", "memory_bytes=7", 1);
  CHECK(*LimitsFromEnvironment(own) == Limits{.clusters = 5, .memory_bytes = 7});
  setenv("MILLRACE_LIMITS", "memory=7", 1);
  const auto bad = LimitsFromEnvironment(own);
  unsetenv("MILLRACE_LIMITS");
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.status().message().find("MILLRACE_LIMITS: there is no limit 'memory'") != std::string_view::npos);
}

TEST_CASE("proto/LIMITS.md lists every limit with its default") {
  std::ifstream file(std::string(MILLRACE_SOURCE_DIR) + "/proto/LIMITS.md");
  std::stringstream page;
  page << file.rdbuf();
  for (const LimitInfo& limit : AllLimits()) {
    const std::string row = Cat("| `", limit.name, "` | ", Limits().*limit.value, " ");
    INFO(row);
    CHECK(page.str().find(row) != std::string::npos);
  }
}

}  // namespace
}  // namespace millrace
