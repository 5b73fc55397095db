// What a host says of a session and of a run, and what a run says of itself, as
// plain values: the parts of ConfigProto, RunOptions and RunMetadata that this
// project honours. The rest is kept as it came.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "millrace/proto/value/graph_def.h"

namespace millrace {

struct OptimizerOptionsValue {
  bool do_common_subexpression_elimination = false;
  bool do_constant_folding = false;
  bool do_function_inlining = false;
  int64_t max_folded_constant_in_bytes = 0;
  int32_t opt_level = 0;         // 0: L1, the default; -1: L0, no optimisation
  int32_t global_jit_level = 0;  // 0 default, -1 off, 1 and 2 on
  std::string unread_fields;
  friend bool operator==(const OptimizerOptionsValue&, const OptimizerOptionsValue&) = default;
};

// 0 default, 1 on, 2 off, 3 aggressive.
struct RewriterConfigValue {
  int32_t layout_optimizer = 0;
  int32_t constant_folding = 0;
  int32_t arithmetic_optimization = 0;
  int32_t dependency_optimization = 0;
  int32_t remapping = 0;
  int32_t common_subgraph_elimination = 0;
  bool disable_meta_optimizer = false;
  std::string unread_fields;
  friend bool operator==(const RewriterConfigValue&, const RewriterConfigValue&) = default;
};

struct GraphOptionsValue {
  bool has_optimizer_options = false;
  OptimizerOptionsValue optimizer_options;
  bool infer_shapes = false;
  bool place_pruned_graph = false;
  bool has_rewrite_options = false;
  RewriterConfigValue rewrite_options;
  std::string unread_fields;
  friend bool operator==(const GraphOptionsValue&, const GraphOptionsValue&) = default;
};

struct ConfigValue {
  std::map<std::string, int32_t> device_count;  // "CPU" to how many at most
  int32_t intra_op_parallelism_threads = 0;     // 0: as many as the machine has
  int32_t inter_op_parallelism_threads = 0;     // 0 likewise; negative: the caller's thread
  bool use_per_session_threads = false;
  bool allow_soft_placement = false;
  bool log_device_placement = false;
  bool has_graph_options = false;
  GraphOptionsValue graph_options;
  int64_t operation_timeout_in_ms = 0;  // 0: none
  bool isolate_session_state = false;
  std::string unread_fields;
  friend bool operator==(const ConfigValue&, const ConfigValue&) = default;
};

struct RunOptionsValue {
  // 0 none, 1 software, 2 hardware, 3 full: any but 0 asks for step statistics.
  int32_t trace_level = 0;
  int64_t timeout_in_ms = 0;  // 0: none
  int32_t inter_op_thread_pool = 0;
  bool output_partition_graphs = false;
  bool report_tensor_allocations_upon_oom = false;
  std::string unread_fields;
  friend bool operator==(const RunOptionsValue&, const RunOptionsValue&) = default;
};

// One execution of one node; times in nanoseconds since the epoch.
struct NodeStatsValue {
  std::string node_name;
  std::string timeline_label;  // "y = MatMul(x, w)"
  int64_t scheduled_ns = 0, start_ns = 0, op_start_ns = 0, op_end_ns = 0, end_ns = 0;
  uint32_t thread_id = 0;
  friend bool operator==(const NodeStatsValue&, const NodeStatsValue&) = default;
};

struct DeviceStatsValue {
  std::string device;
  std::vector<NodeStatsValue> nodes;
  std::map<uint32_t, std::string> thread_names;
  friend bool operator==(const DeviceStatsValue&, const DeviceStatsValue&) = default;
};

struct RunMetadataValue {
  std::vector<DeviceStatsValue> devices;
  std::vector<GraphDef> partition_graphs;
  friend bool operator==(const RunMetadataValue&, const RunMetadataValue&) = default;
};

}  // namespace millrace
