#include "millrace/ops/graph/load.h"

#include "millrace/devices/api/buffer.h"
#include "millrace/proto/codec/graph_def.h"
#include "millrace/proto/value/strings.h"

namespace millrace {

Result<GraphDef> ReadGraphDef(const std::string& path) {
  MR_ASSIGN_OR_RETURN(Buffer file, Buffer::MapFile(path));
  Result<GraphDef> def = ParseGraphDef(Bytes({static_cast<const char*>(file.data()), file.size()}, file.owner()));
  if (!def.ok()) return Status(def.status().code(), Cat(path, ": ", def.status().message()));
  return def;
}

Result<std::shared_ptr<const Graph>> LoadGraph(const std::string& path, const ImportOptions& options,
                                               const Registry& registry) {
  MR_ASSIGN_OR_RETURN(const GraphDef def, ReadGraphDef(path));
  auto graph = std::make_shared<Graph>(registry);
  MR_RETURN_IF_ERROR(graph->Import(def, options));
  return std::shared_ptr<const Graph>(std::move(graph));
}

}  // namespace millrace
