// A plan in a file, and what of it stays in memory.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "millrace/proto/plan/writer.h"
#include "millrace/runtime/executor/runner.h"
#include "millrace/tests/runtime/plan_builder.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

constexpr int64_t kSide = 1024;

// x times a matrix of 4 MiB.
plan::Plan Product() {
  testing::PlanBuilder b;
  const uint32_t x = b.Feed("x:0", {1, kSide});
  const uint32_t w = b.Constant({kSide, kSide}, std::vector<float>(kSide * kSide, 0.5F));
  const uint32_t y = b.Slot("y:0", b.DimsOf(x));
  const uint32_t step = b.Step("MatMul", "y", {x, w}, {y});
  b.block().steps[step].attrs = {{"T", DType::kFloat}, {"transpose_a", false}, {"transpose_b", false}};
  b.Fetch("y:0", y);
  return b.plan;
}

// KiB of a mapped file that are in this process's memory, as the system counts them.
int64_t ResidentKiB(const std::string& path) {
  std::ifstream maps("/proc/self/smaps");
  int64_t kib = 0;
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find(path) != std::string::npos) {
      inside = true;
    } else if (inside && line.rfind("Rss:", 0) == 0) {
      kib += std::stoll(line.substr(4));
      inside = false;
    }
  }
  return kib;
}

}  // namespace

TEST_CASE("weights of a plan in a file are in memory once: packed") {
  const std::string path =
      std::filesystem::temp_directory_path() / ("millrace_mapped_" + std::to_string(getpid()) + ".plan");
  {
    const auto bytes = plan::Write(Product());
    MR_REQUIRE_OK(bytes);
    std::ofstream(path, std::ios::binary) << *bytes;
  }
  auto runner = Runner::FromFile(path);
  const int64_t loaded = ResidentKiB(path);
  MR_REQUIRE_OK(runner);
  auto callable = (*runner)->Prepare("run");
  MR_REQUIRE_OK(callable);
  std::vector<Tensor> out;
  MR_REQUIRE_OK((*callable)->Run({Tensor::Of<float>({1, kSide}, std::vector<float>(kSide, 1.0F))}, &out));
  CHECK(out[0].elements<float>()[0] == 512.0F);
  CHECK(loaded < 512);
  CHECK(ResidentKiB(path) < 512);
  std::remove(path.c_str());
}

}  // namespace millrace
