#include "millrace/runtime/c_api/config.h"

#include <algorithm>
#include <chrono>

#include "millrace/proto/codec/config.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/c_api/internal.h"

namespace millrace::c_api {
namespace {

// OptimizerOptions.GlobalJitLevel: off, or some level of on. 0 asks for nothing.
void ApplyJitLevel(int32_t level, CodeOptions* code) {
  if (level != 0) code->codegen = level < 0 ? Codegen::kOff : Codegen::kOn;
}

}  // namespace

Status ApplyConfig(std::string_view config_proto, SessionOptions* options) {
  MR_ASSIGN_OR_RETURN(const ConfigValue config, ParseConfig(Bytes(config_proto, nullptr)));
  const int32_t intra = config.intra_op_parallelism_threads;
  if (intra < 0) return InvalidArgument(Cat("intra_op_parallelism_threads: expected 0 or more, found ", intra));
  // Negative: steps run in the caller's thread.
  const int32_t inter = config.inter_op_parallelism_threads < 0 ? 1 : config.inter_op_parallelism_threads;
  constexpr int32_t kMost = 1024;
  options->threads = std::min(std::max(intra, inter), kMost);
  options->device_count = config.device_count;
  options->allow_soft_placement = config.allow_soft_placement;
  ApplyJitLevel(config.graph_options.optimizer_options.global_jit_level, &options->code);
  return OkStatus();
}

Result<RunOptions> RunOptionsOf(const TF_Buffer& proto) {
  MR_ASSIGN_OR_RETURN(const RunOptionsValue value,
                      ParseRunOptions(Bytes({static_cast<const char*>(proto.data), proto.length}, nullptr)));
  RunOptions options;
  options.timeout_ms = value.timeout_in_ms;
  options.collect_step_stats = value.trace_level != 0;
  return options;
}

Status FillMetadata(const RunMetadata& metadata, TF_Buffer* out) {
  // Ours count from the run's start, the wire's from the epoch.
  const int64_t now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  int64_t last = 0;
  for (const StepStats& step : metadata.steps) last = std::max(last, step.end_ns);
  const int64_t start = now - last;
  RunMetadataValue value;
  for (const StepStats& step : metadata.steps) {
    auto device = std::find_if(value.devices.begin(), value.devices.end(),
                               [&](const DeviceStatsValue& d) { return d.device == step.device; });
    if (device == value.devices.end()) {
      device = value.devices.emplace(device);
      device->device = step.device;
    }
    NodeStatsValue node;
    node.node_name = step.node;
    node.timeline_label = Cat(step.node, " = ", step.op);
    node.scheduled_ns = node.start_ns = node.op_start_ns = start + step.start_ns;
    node.op_end_ns = node.end_ns = start + step.end_ns;
    node.thread_id = static_cast<uint32_t>(step.thread);
    device->nodes.push_back(std::move(node));
  }
  return Fill(SerializeRunMetadata(value), out);
}

}  // namespace millrace::c_api
