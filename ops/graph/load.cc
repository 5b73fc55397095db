#include "millrace/ops/graph/load.h"

#include <algorithm>

#include "millrace/devices/api/buffer.h"
#include "millrace/proto/codec/graph_def.h"
#include "millrace/proto/value/strings.h"

namespace millrace {

Result<GraphDef> ReadGraphDef(const std::string& path, const Limits& limits) {
  MR_ASSIGN_OR_RETURN(Buffer file, Buffer::MapFile(path));
  const Bytes bytes({static_cast<const char*>(file.data()), file.size()}, file.owner());
  Result<GraphDef> def = ParseGraphDef(bytes, limits);
  if (!def.ok()) return Status(def.status().code(), Cat(path, ": ", def.status().message()));
  return def;
}

Result<std::shared_ptr<const Graph>> LoadGraph(const std::string& path, const ImportOptions& options,
                                               const Registry& registry, const Limits& limits) {
  MR_ASSIGN_OR_RETURN(const GraphDef def, ReadGraphDef(path, limits));
  ImportOptions within = options;
  within.max_tensor_bytes = std::min(options.max_tensor_bytes, static_cast<uint64_t>(limits.tensor_bytes));
  auto graph = std::make_shared<Graph>(registry);
  MR_RETURN_IF_ERROR(graph->Import(def, within));
  return std::shared_ptr<const Graph>(std::move(graph));
}

}  // namespace millrace
