// Any bytes as a GraphDef: parsed, written again, its tensors unpacked, imported into
// a live graph, and that compiled and run.
#include <cstdlib>

#include "millrace/ops/graph/graph.h"
#include "millrace/proto/codec/graph_def.h"
#include "millrace/tests/fuzz/try_graph.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millrace;  // NOLINT
  constexpr uint64_t kTensorBytes = 1 << 20;
  const Bytes bytes({reinterpret_cast<const char*>(data), size}, nullptr);
  const Result<GraphDef> graph = ParseGraphDef(bytes);
  if (!graph.ok()) return 0;

  // What was read once reads the same again, to the byte.
  const std::string written = SerializeGraphDef(*graph);
  const Result<GraphDef> again = ParseGraphDef(Bytes(written));
  if (!again.ok() || SerializeGraphDef(*again) != written) std::abort();

  for (const NodeDef& node : graph->nodes) {
    for (const auto& [name, value] : node.attrs) {
      (void)value.ToString();
      const auto* tensor = value.get<std::shared_ptr<const TensorValue>>();
      if (tensor == nullptr) continue;
      const bool valid = Validate(**tensor, kTensorBytes).ok();
      const bool plain = !IsObject((*tensor)->dtype);
      if (DenseBytes(**tensor, kTensorBytes).ok() != (valid && plain)) std::abort();
      (void)DenseStrings(**tensor, kTensorBytes).ok();
    }
  }

  const auto live = std::make_shared<Graph>();
  ImportOptions options;
  options.max_tensor_bytes = kTensorBytes;
  if (!live->Import(*graph, options).ok()) return 0;
  (void)SerializeGraphDef(live->ToGraphDef());
  if (live->nodes().size() <= 100) fuzz::TryGraph(live);
  return 0;
}
