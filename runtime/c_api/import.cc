// Import of graphs, its options and results.
#include <algorithm>
#include <unordered_map>

#include "millrace/proto/codec/graph_def.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/c_api/internal.h"

struct TF_ImportGraphDefOptions {
  millrace::ImportOptions options;
  std::vector<std::pair<std::string, int>> return_outputs;
  std::vector<std::string> return_operations;
};

struct TF_ImportGraphDefResults {
  std::vector<TF_Output> outputs;
  std::vector<TF_Operation*> operations;
  std::vector<std::string> missing_names;
  std::vector<const char*> missing_name_pointers;
  std::vector<int> missing_indexes;
};

namespace millrace::c_api {
namespace {

using Positions = std::unordered_map<std::string_view, size_t>;

std::string TextOf(const char* text) { return text != nullptr ? text : ""; }

// That what the options ask for is there, before the graph changes. How many
// outputs the call of a function has is seen afterwards.
Status CheckReturns(const GraphDef& def, const Positions& positions, const Registry& registry,
                    const TF_ImportGraphDefOptions& options) {
  for (const std::string& name : options.return_operations) {
    if (!positions.contains(name)) {
      return InvalidArgument(Cat("return operation: expected a node of the GraphDef, found '", name, "'"));
    }
  }
  for (const auto& output : options.return_outputs) {
    if (options.options.input_map.contains(output)) continue;
    const auto it = positions.find(output.first);
    const auto refuse = [&](std::string_view expected) {
      return InvalidArgument(
          Cat("return output: expected ", expected, ", found '", output.first, ":", output.second, "'"));
    };
    if (it == positions.end() || output.second < 0) return refuse("an output of a node of the GraphDef");
    const NodeDef& node = def.nodes[it->second];
    const Op* op = registry.Find(node.op);
    AttrMap attrs = node.attrs;
    std::vector<DType> inputs, outputs;
    // Import says what is wrong with such a node.
    if (op == nullptr || !CompleteAttrs(*op, &attrs).ok()) continue;
    if (!ArgumentTypes(op->signature(), attrs, &inputs, &outputs).ok()) continue;
    if (static_cast<size_t>(output.second) >= outputs.size()) {
      return refuse(Cat("one of ", outputs.size(), " outputs"));
    }
  }
  return OkStatus();
}

Result<std::unique_ptr<TF_ImportGraphDefResults>> Import(TF_Graph* graph, const TF_Buffer* graph_def,
                                                         const TF_ImportGraphDefOptions* asked) {
  if (graph_def == nullptr || (graph_def->data == nullptr && graph_def->length != 0)) {
    return InvalidArgument("expected a serialized GraphDef, found null");
  }
  static const TF_ImportGraphDefOptions kNone;
  const TF_ImportGraphDefOptions& options = asked != nullptr ? *asked : kNone;
  // The caller may free its bytes after this call: weights live in a copy.
  const Bytes bytes(std::string(static_cast<const char*>(graph_def->data), graph_def->length));
  MR_ASSIGN_OR_RETURN(const Limits limits, LimitsFromEnvironment());
  MR_ASSIGN_OR_RETURN(const GraphDef def, ParseGraphDef(bytes, limits));
  Positions positions;
  for (size_t i = 0; i < def.nodes.size(); ++i) positions.emplace(def.nodes[i].name, i);
  const GraphLock lock(*graph->state);
  Graph& live = *graph->state->graph;
  MR_RETURN_IF_ERROR(CheckReturns(def, positions, live.registry(), options));
  ImportResults imported;
  ImportOptions within = options.options;
  within.max_tensor_bytes = static_cast<uint64_t>(limits.tensor_bytes);
  MR_RETURN_IF_ERROR(live.Import(def, within, &imported));
  auto results = std::make_unique<TF_ImportGraphDefResults>();
  for (const auto& output : options.return_outputs) {
    if (const auto mapped = options.options.input_map.find(output); mapped != options.options.input_map.end()) {
      results->outputs.push_back(FromEndpoint(mapped->second));
      continue;
    }
    Node* node = imported.nodes[positions.find(output.first)->second];
    if (output.second >= node->num_outputs()) {
      return InvalidArgument(Cat("return output: expected one of ", node->num_outputs(), " outputs of '", output.first,
                                 "', found number ", output.second));
    }
    results->outputs.push_back(FromEndpoint({node, output.second}));
  }
  for (const std::string& name : options.return_operations) {
    results->operations.push_back(FromNode(imported.nodes[positions.find(name)->second]));
  }
  for (auto& [name, index] : imported.missing_inputs) {
    results->missing_names.push_back(std::move(name));
    results->missing_indexes.push_back(index);
  }
  for (const std::string& name : results->missing_names) results->missing_name_pointers.push_back(name.c_str());
  return results;
}

}  // namespace
}  // namespace millrace::c_api

using namespace millrace::c_api;  // NOLINT: the helpers above

extern "C" {

TF_ImportGraphDefOptions* TF_NewImportGraphDefOptions(void) { return new TF_ImportGraphDefOptions; }
void TF_DeleteImportGraphDefOptions(TF_ImportGraphDefOptions* opts) { delete opts; }
void TF_ImportGraphDefOptionsSetPrefix(TF_ImportGraphDefOptions* opts, const char* prefix) {
  opts->options.prefix = TextOf(prefix);
  if (opts->options.prefix.ends_with('/')) opts->options.prefix.pop_back();
}
void TF_ImportGraphDefOptionsSetDefaultDevice(TF_ImportGraphDefOptions* opts, const char* device) {
  opts->options.default_device = TextOf(device);
}
void TF_ImportGraphDefOptionsSetUniquifyNames(TF_ImportGraphDefOptions* opts, unsigned char uniquify_names) {
  opts->options.uniquify_names = uniquify_names != 0;
}
void TF_ImportGraphDefOptionsSetUniquifyPrefix(TF_ImportGraphDefOptions* opts, unsigned char uniquify_prefix) {
  opts->options.uniquify_prefix = uniquify_prefix != 0;
}
void TF_ImportGraphDefOptionsSetValidateColocationConstraints(TF_ImportGraphDefOptions*, unsigned char) {}
void TF_ImportGraphDefOptionsAddInputMapping(TF_ImportGraphDefOptions* opts, const char* src_name, int src_index,
                                             TF_Output dst) {
  opts->options.input_map[{TextOf(src_name), std::max(src_index, -1)}] = ToEndpoint(dst);
}
void TF_ImportGraphDefOptionsRemapControlDependency(TF_ImportGraphDefOptions* opts, const char* src_name,
                                                    TF_Operation* dst) {
  opts->options.input_map[{TextOf(src_name), -1}] = {ToMutable(dst), -1};
}
void TF_ImportGraphDefOptionsAddControlDependency(TF_ImportGraphDefOptions* opts, TF_Operation* oper) {
  opts->options.control_dependencies.push_back(ToMutable(oper));
}
void TF_ImportGraphDefOptionsAddReturnOutput(TF_ImportGraphDefOptions* opts, const char* oper_name, int index) {
  opts->return_outputs.emplace_back(TextOf(oper_name), index);
}
int TF_ImportGraphDefOptionsNumReturnOutputs(const TF_ImportGraphDefOptions* opts) {
  return static_cast<int>(opts->return_outputs.size());
}
void TF_ImportGraphDefOptionsAddReturnOperation(TF_ImportGraphDefOptions* opts, const char* oper_name) {
  opts->return_operations.push_back(TextOf(oper_name));
}
int TF_ImportGraphDefOptionsNumReturnOperations(const TF_ImportGraphDefOptions* opts) {
  return static_cast<int>(opts->return_operations.size());
}

TF_ImportGraphDefResults* TF_GraphImportGraphDefWithResults(TF_Graph* graph, const TF_Buffer* graph_def,
                                                            const TF_ImportGraphDefOptions* options,
                                                            TF_Status* status) {
  millrace::Result<std::unique_ptr<TF_ImportGraphDefResults>> results = Import(graph, graph_def, options);
  Set(status, results.status());
  return results.ok() ? results->release() : nullptr;
}
void TF_GraphImportGraphDefWithReturnOutputs(TF_Graph* graph, const TF_Buffer* graph_def,
                                             const TF_ImportGraphDefOptions* options, TF_Output* return_outputs,
                                             int num_return_outputs, TF_Status* status) {
  const int asked = options != nullptr ? TF_ImportGraphDefOptionsNumReturnOutputs(options) : 0;
  if (num_return_outputs != asked) {
    return Set(status, millrace::InvalidArgument(
                           millrace::Cat("expected room for ", asked, " return outputs, found ", num_return_outputs)));
  }
  const millrace::Result<std::unique_ptr<TF_ImportGraphDefResults>> results = Import(graph, graph_def, options);
  Set(status, results.status());
  if (results.ok()) std::copy((*results)->outputs.begin(), (*results)->outputs.end(), return_outputs);
}
void TF_GraphImportGraphDef(TF_Graph* graph, const TF_Buffer* graph_def, const TF_ImportGraphDefOptions* options,
                            TF_Status* status) {
  Set(status, Import(graph, graph_def, options).status());
}

void TF_ImportGraphDefResultsReturnOutputs(TF_ImportGraphDefResults* results, int* num_outputs, TF_Output** outputs) {
  *num_outputs = static_cast<int>(results->outputs.size());
  *outputs = results->outputs.data();
}
void TF_ImportGraphDefResultsReturnOperations(TF_ImportGraphDefResults* results, int* num_opers,
                                              TF_Operation*** opers) {
  *num_opers = static_cast<int>(results->operations.size());
  *opers = results->operations.data();
}
void TF_ImportGraphDefResultsMissingUnusedInputMappings(TF_ImportGraphDefResults* results,
                                                        int* num_missing_unused_input_mappings, const char*** src_names,
                                                        int** src_indexes) {
  *num_missing_unused_input_mappings = static_cast<int>(results->missing_indexes.size());
  *src_names = results->missing_name_pointers.data();
  *src_indexes = results->missing_indexes.data();
}
void TF_DeleteImportGraphDefResults(TF_ImportGraphDefResults* results) { delete results; }

}  // extern "C"
