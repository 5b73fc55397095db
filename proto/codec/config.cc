#include "millrace/proto/codec/config.h"

#include "millrace/proto/codec/messages.h"
#include "millrace/proto/codec/parse.h"

namespace millrace {
namespace codec {

static void Read(Reader r, OptimizerOptionsValue* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Var(1):
        out->do_common_subexpression_elimination = r.Bool();
        break;
      case Var(2):
        out->do_constant_folding = r.Bool();
        break;
      case Var(3):
        out->opt_level = r.Int<int32_t>();
        break;
      case Var(4):
        out->do_function_inlining = r.Bool();
        break;
      case Var(5):
        out->global_jit_level = r.Int<int32_t>();
        break;
      case Var(6):
        out->max_folded_constant_in_bytes = r.Int<int64_t>();
        break;
      default:
        r.Skip(&out->unread_fields);
    }
  }
}

static void Write(const OptimizerOptionsValue& o, std::string* out) {
  Writer w(out);
  w.Bool(1, o.do_common_subexpression_elimination);
  w.Bool(2, o.do_constant_folding);
  w.Int(3, o.opt_level);
  w.Bool(4, o.do_function_inlining);
  w.Int(5, o.global_jit_level);
  w.Int(6, o.max_folded_constant_in_bytes);
  w.Unread(o.unread_fields);
}

static void Read(Reader r, RewriterConfigValue* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Var(1):
        out->layout_optimizer = r.Int<int32_t>();
        break;
      case Var(3):
        out->constant_folding = r.Int<int32_t>();
        break;
      case Var(7):
        out->arithmetic_optimization = r.Int<int32_t>();
        break;
      case Var(8):
        out->dependency_optimization = r.Int<int32_t>();
        break;
      case Var(14):
        out->remapping = r.Int<int32_t>();
        break;
      case Var(19):
        out->disable_meta_optimizer = r.Bool();
        break;
      case Var(24):
        out->common_subgraph_elimination = r.Int<int32_t>();
        break;
      default:
        r.Skip(&out->unread_fields);
    }
  }
}

static void Write(const RewriterConfigValue& c, std::string* out) {
  Writer w(out);
  w.Int(1, c.layout_optimizer);
  w.Int(3, c.constant_folding);
  w.Int(7, c.arithmetic_optimization);
  w.Int(8, c.dependency_optimization);
  w.Int(14, c.remapping);
  w.Bool(19, c.disable_meta_optimizer);
  w.Int(24, c.common_subgraph_elimination);
  w.Unread(c.unread_fields);
}

static void Read(Reader r, GraphOptionsValue* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(3):
        out->has_optimizer_options = true;
        Read(r.Sub(), &out->optimizer_options);
        break;
      case Var(5):
        out->infer_shapes = r.Bool();
        break;
      case Var(6):
        out->place_pruned_graph = r.Bool();
        break;
      case Len(10):
        out->has_rewrite_options = true;
        Read(r.Sub(), &out->rewrite_options);
        break;
      default:
        r.Skip(&out->unread_fields);
    }
  }
}

static void Write(const GraphOptionsValue& o, std::string* out) {
  Writer w(out);
  if (o.has_optimizer_options) w.PutMessage(3, [&] { Write(o.optimizer_options, out); });
  w.Bool(5, o.infer_shapes);
  w.Bool(6, o.place_pruned_graph);
  if (o.has_rewrite_options) w.PutMessage(10, [&] { Write(o.rewrite_options, out); });
  w.Unread(o.unread_fields);
}

static void ReadCount(Reader r, std::map<std::string, int32_t>* out) {
  std::string key;
  int32_t value = 0;
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        key = r.String();
        break;
      case Var(2):
        value = r.Int<int32_t>();
        break;
      default:
        r.Skip();
    }
  }
  out->insert_or_assign(std::move(key), value);
}

static void Read(Reader r, ConfigValue* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Len(1):
        ReadCount(r.Sub(), &out->device_count);
        break;
      case Var(2):
        out->intra_op_parallelism_threads = r.Int<int32_t>();
        break;
      case Var(5):
        out->inter_op_parallelism_threads = r.Int<int32_t>();
        break;
      case Var(7):
        out->allow_soft_placement = r.Bool();
        break;
      case Var(8):
        out->log_device_placement = r.Bool();
        break;
      case Var(9):
        out->use_per_session_threads = r.Bool();
        break;
      case Len(10):
        out->has_graph_options = true;
        Read(r.Sub(), &out->graph_options);
        break;
      case Var(11):
        out->operation_timeout_in_ms = r.Int<int64_t>();
        break;
      case Var(15):
        out->isolate_session_state = r.Bool();
        break;
      default:
        r.Skip(&out->unread_fields);
    }
  }
}

static void Write(const ConfigValue& c, std::string* out) {
  Writer w(out);
  for (const auto& [kind, count] : c.device_count) {
    w.PutMessage(1, [&] {
      w.PutString(1, kind);
      w.PutInt(2, static_cast<uint64_t>(int64_t{count}));
    });
  }
  w.Int(2, c.intra_op_parallelism_threads);
  w.Int(5, c.inter_op_parallelism_threads);
  w.Bool(7, c.allow_soft_placement);
  w.Bool(8, c.log_device_placement);
  w.Bool(9, c.use_per_session_threads);
  if (c.has_graph_options) w.PutMessage(10, [&] { Write(c.graph_options, out); });
  w.Int(11, c.operation_timeout_in_ms);
  w.Bool(15, c.isolate_session_state);
  w.Unread(c.unread_fields);
}

static void Read(Reader r, RunOptionsValue* out) {
  while (r.Next()) {
    switch (r.key()) {
      case Var(1):
        out->trace_level = r.Int<int32_t>();
        break;
      case Var(2):
        out->timeout_in_ms = r.Int<int64_t>();
        break;
      case Var(3):
        out->inter_op_thread_pool = r.Int<int32_t>();
        break;
      case Var(5):
        out->output_partition_graphs = r.Bool();
        break;
      case Var(7):
        out->report_tensor_allocations_upon_oom = r.Bool();
        break;
      default:
        r.Skip(&out->unread_fields);
    }
  }
}

static void Write(const RunOptionsValue& o, std::string* out) {
  Writer w(out);
  w.Int(1, o.trace_level);
  w.Int(2, o.timeout_in_ms);
  w.Int(3, o.inter_op_thread_pool);
  w.Bool(5, o.output_partition_graphs);
  w.Bool(7, o.report_tensor_allocations_upon_oom);
  w.Unread(o.unread_fields);
}

// NodeExecStats: the start, and everything else counted from it.
static void Write(const NodeStatsValue& n, std::string* out) {
  Writer w(out);
  w.String(1, n.node_name);
  w.Int(2, n.start_ns / 1000);
  w.Int(3, (n.op_start_ns - n.start_ns) / 1000);
  w.Int(4, (n.op_end_ns - n.start_ns) / 1000);
  w.Int(5, (n.end_ns - n.start_ns) / 1000);
  w.String(8, n.timeline_label);
  w.Int(9, n.scheduled_ns / 1000);
  w.Int(10, n.thread_id);
  w.Int(13, n.start_ns);
  w.Int(14, n.op_start_ns - n.start_ns);
  w.Int(15, n.op_end_ns - n.start_ns);
  w.Int(16, n.end_ns - n.start_ns);
  w.Int(17, n.scheduled_ns);
}

static void Write(const DeviceStatsValue& d, std::string* out) {
  Writer w(out);
  w.String(1, d.device);
  for (const NodeStatsValue& n : d.nodes) w.PutMessage(2, [&] { Write(n, out); });
  for (const auto& [thread, name] : d.thread_names) {
    w.PutMessage(3, [&] {
      w.PutInt(1, thread);
      w.PutString(2, name);
    });
  }
}

}  // namespace codec

Result<ConfigValue> ParseConfig(const Bytes& bytes, const Limits& limits) {
  return codec::Parse<ConfigValue>("config", bytes, limits,
                                   [](codec::Reader r, ConfigValue* out) { codec::Read(r, out); });
}

std::string SerializeConfig(const ConfigValue& config) {
  std::string out;
  codec::Write(config, &out);
  return out;
}

Result<RunOptionsValue> ParseRunOptions(const Bytes& bytes, const Limits& limits) {
  return codec::Parse<RunOptionsValue>("run options", bytes, limits,
                                       [](codec::Reader r, RunOptionsValue* out) { codec::Read(r, out); });
}

std::string SerializeRunOptions(const RunOptionsValue& options) {
  std::string out;
  codec::Write(options, &out);
  return out;
}

std::string SerializeRunMetadata(const RunMetadataValue& metadata) {
  std::string out;
  codec::Writer w(&out);
  if (!metadata.devices.empty()) {
    w.PutMessage(1, [&] {
      for (const DeviceStatsValue& d : metadata.devices) w.PutMessage(1, [&] { codec::Write(d, &out); });
    });
  }
  for (const GraphDef& g : metadata.partition_graphs) w.PutMessage(3, [&] { codec::Write(g, &out); });
  return out;
}

}  // namespace millrace
