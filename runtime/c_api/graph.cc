// TF_Graph and its import.
#include <string>

#include "millrace/proto/codec/graph_def.h"
#include "millrace/runtime/c_api/internal.h"

using millrace::c_api::FromNode;
using millrace::c_api::Set;
using millrace::c_api::ToNode;

extern "C" {

TF_Graph* TF_NewGraph(void) { return new TF_Graph; }
void TF_DeleteGraph(TF_Graph* graph) { delete graph; }

TF_Operation* TF_GraphOperationByName(TF_Graph* graph, const char* name) {
  const std::lock_guard lock(graph->state->mutex);
  return FromNode(graph->state->graph->Find(name));
}
TF_Operation* TF_GraphNextOperation(TF_Graph* graph, size_t* pos) {
  const std::lock_guard lock(graph->state->mutex);
  const auto& nodes = graph->state->graph->nodes();
  return *pos < nodes.size() ? FromNode(nodes[(*pos)++].get()) : nullptr;
}
const char* TF_OperationName(TF_Operation* oper) { return ToNode(oper)->name().c_str(); }
const char* TF_OperationOpType(TF_Operation* oper) { return ToNode(oper)->op().name().c_str(); }
int TF_OperationNumOutputs(TF_Operation* oper) { return ToNode(oper)->num_outputs(); }
TF_DataType TF_OperationOutputType(TF_Output output) {
  const auto& types = ToNode(output.oper)->output_types();
  if (output.index < 0 || static_cast<size_t>(output.index) >= types.size()) return static_cast<TF_DataType>(0);
  return static_cast<TF_DataType>(types[static_cast<size_t>(output.index)]);
}

TF_ImportGraphDefOptions* TF_NewImportGraphDefOptions(void) { return new TF_ImportGraphDefOptions; }
void TF_DeleteImportGraphDefOptions(TF_ImportGraphDefOptions* options) { delete options; }
void TF_ImportGraphDefOptionsSetPrefix(TF_ImportGraphDefOptions* options, const char* prefix) {
  options->options.prefix = prefix;
}

void TF_GraphImportGraphDef(TF_Graph* graph, const TF_Buffer* graph_def, const TF_ImportGraphDefOptions* options,
                            TF_Status* status) {
  // The caller may free its bytes after this call: weights live in a copy.
  const millrace::Bytes bytes(std::string(static_cast<const char*>(graph_def->data), graph_def->length));
  millrace::Result<millrace::GraphDef> parsed = millrace::ParseGraphDef(bytes);
  if (!parsed.ok()) return Set(status, parsed.status());
  const std::lock_guard lock(graph->state->mutex);
  Set(status, graph->state->graph->Import(*parsed, options != nullptr ? options->options : millrace::ImportOptions()));
}

}  // extern "C"
