// What a ConfigProto means to a session of the C interface.
#include "millrace/runtime/c_api/config.h"

#include "millrace/proto/codec/config.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

SessionOptions Applied(const ConfigValue& config) {
  SessionOptions options;
  MR_REQUIRE_OK(c_api::ApplyConfig(SerializeConfig(config), &options));
  return options;
}

TEST_CASE("global_jit_level says whether machine code is made, and before the first run") {
  ConfigValue config;
  CHECK(Applied(config).code.codegen == Codegen::kAuto);
  config.has_graph_options = config.graph_options.has_optimizer_options = true;
  CHECK(Applied(config).code.codegen == Codegen::kAuto);
  for (const auto& [level, expected] :
       {std::pair(-1, Codegen::kOff), std::pair(1, Codegen::kOn), std::pair(2, Codegen::kOn)}) {
    config.graph_options.optimizer_options.global_jit_level = level;
    CHECK(Applied(config).code.codegen == expected);
  }
}

TEST_CASE("TF_CreateConfig turns it on, by the same number") {
  for (const unsigned char enable : {0, 1}) {
    TF_Buffer* const config = TF_CreateConfig(enable, 0, 3);
    SessionOptions options;
    MR_REQUIRE_OK(c_api::ApplyConfig({static_cast<const char*>(config->data), config->length}, &options));
    TF_DeleteBuffer(config);
    CHECK(options.code.codegen == (enable != 0 ? Codegen::kOn : Codegen::kAuto));
    CHECK(options.device_count.at("CPU") == 3);
  }
}

}  // namespace
}  // namespace millrace
