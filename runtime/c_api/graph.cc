// TF_Graph: its nodes, shapes and wire forms.
#include "millrace/ops/graph/graph.h"

#include <cstring>

#include "millrace/proto/codec/graph_def.h"
#include "millrace/proto/codec/op_def.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/c_api/internal.h"
#include "millrace/runtime/c_api/strings.h"
#include "millrace/runtime/c_api/wire.h"

namespace millrace::c_api {
namespace {

// The graph's own shape of a tensor, which is one of its nodes'.
Result<Endpoint> Checked(const Graph& graph, const TF_Output& output) {
  if (output.oper == nullptr) return InvalidArgument("expected a tensor, found null");
  const Endpoint e = ToEndpoint(output);
  if (graph.Find(e.node->name()) != e.node) {
    return InvalidArgument(Cat("expected a node of this graph, found '", e.node->name(), "', which is none"));
  }
  if (e.index >= 0 && e.index < e.node->num_outputs()) return e;
  return OutOfRange(Cat("expected one of ", e.node->num_outputs(), " outputs, found number ", e.index))
      .At(e.node->name(), e.node->op().name());
}

Status GetShape(const Graph& graph, const TF_Output& output, int64_t* dims, int num_dims) {
  MR_ASSIGN_OR_RETURN(const Endpoint e, Checked(graph, output));
  const Shape shape = e.node->output(e.index).shape.ToShape();
  if (shape.has_rank() && shape.rank() == num_dims) {
    std::copy(shape.dims().begin(), shape.dims().end(), dims);
    return OkStatus();
  }
  return InvalidArgument(
             Cat("output ", e.index, ": expected a shape of ", num_dims, " dimensions, found ", shape.ToString()))
      .At(e.node->name(), e.node->op().name());
}

Status SetShape(Graph& graph, const TF_Output& output, const int64_t* dims, int num_dims) {
  MR_ASSIGN_OR_RETURN(const Endpoint e, Checked(graph, output));
  if (num_dims < 0) return OkStatus();
  Shape wanted;
  for (int i = 0; i < num_dims; ++i) wanted.Append(dims[i] < 0 ? -1 : dims[i]);
  const SymShape& known = e.node->output(e.index).shape;
  if (wanted.rank() > Shape::kMaxRank || !known.ToShape().IsCompatibleWith(wanted)) {
    return InvalidArgument(Cat("output ", e.index, ": expected a shape that agrees with ", known.ToShape().ToString(),
                               ", found ", wanted.ToString()))
        .At(e.node->name(), e.node->op().name());
  }
  // What is known already, symbols included, stays.
  SymShape merged(wanted);
  for (size_t i = 0; i < merged.dims.size() && known.has_rank; ++i) {
    if (merged.dims[i].unknown()) merged.dims[i] = known.dims[i];
  }
  graph.AssumeShape(e, merged);
  return OkStatus();
}

// One line a node.
std::string DebugString(const Graph& graph) {
  std::string text;
  for (const auto& node : graph.nodes()) {
    const NodeDef def = node->ToNodeDef();
    text += Cat(def.name, " = ", def.op, "(", Join(def.inputs, ", "), ")");
    for (const auto& [name, value] : def.attrs) text += Cat(" ", name, "=", value.ToString());
    text += "\n";
  }
  return text;
}

Result<TF_Tensor*> Constant(const Graph& graph, const TF_Output& output) {
  MR_ASSIGN_OR_RETURN(const Endpoint e, Checked(graph, output));
  if (const Tensor* small = e.node->constant(); small != nullptr) return NewCopyOf(*small);
  if (e.node->op().name() != "Const") return static_cast<TF_Tensor*>(nullptr);
  MR_ASSIGN_OR_RETURN(
      const Tensor tensor,
      Tensor::FromValue(**e.node->attrs().find("value")->second.get<std::shared_ptr<const TensorValue>>(),
                        HostAllocator()));
  return NewCopyOf(tensor);
}

}  // namespace
}  // namespace millrace::c_api

using namespace millrace::c_api;  // NOLINT: the helpers above

extern "C" {

TF_Graph* TF_NewGraph(void) { return new TF_Graph; }
void TF_DeleteGraph(TF_Graph* graph) { delete graph; }

TF_Operation* TF_GraphOperationByName(TF_Graph* graph, const char* name) {
  if (name == nullptr) return nullptr;
  const GraphLock lock(*graph->state);
  return FromNode(graph->state->graph->Find(name));
}
TF_Operation* TF_GraphNextOperation(TF_Graph* graph, size_t* pos) {
  const GraphLock lock(*graph->state);
  const auto& nodes = graph->state->graph->nodes();
  return *pos < nodes.size() ? FromNode(nodes[(*pos)++].get()) : nullptr;
}

void TF_GraphSetTensorShape(TF_Graph* graph, TF_Output output, const int64_t* dims, const int num_dims,
                            TF_Status* status) {
  const GraphLock lock(*graph->state);
  Set(status, SetShape(*graph->state->graph, output, dims, num_dims));
}
int TF_GraphGetTensorNumDims(TF_Graph* graph, TF_Output output, TF_Status* status) {
  const GraphLock lock(*graph->state);
  const millrace::Result<millrace::Endpoint> e = Checked(*graph->state->graph, output);
  Set(status, e.status());
  return e.ok() ? e->node->output(e->index).shape.rank() : -1;
}
void TF_GraphGetTensorShape(TF_Graph* graph, TF_Output output, int64_t* dims, int num_dims, TF_Status* status) {
  const GraphLock lock(*graph->state);
  Set(status, GetShape(*graph->state->graph, output, dims, num_dims));
}

void TF_GraphToGraphDef(TF_Graph* graph, TF_Buffer* output_graph_def, TF_Status* status) {
  const GraphLock lock(*graph->state);
  Set(status, Fill(millrace::SerializeGraphDef(graph->state->graph->ToGraphDef()), output_graph_def));
}
void TF_GraphVersions(TF_Graph* graph, TF_Buffer* output_version_def, TF_Status* status) {
  const GraphLock lock(*graph->state);
  millrace::GraphDef def;
  def.has_versions = true;
  def.versions = graph->state->graph->versions();
  Set(status, Fill(FirstField(millrace::SerializeGraphDef(def)), output_version_def));
}
const char* TF_GraphDebugString(TF_Graph* graph, size_t* len) {
  const GraphLock lock(*graph->state);
  const std::string text = DebugString(*graph->state->graph);
  if (len != nullptr) *len = text.size();
  return strdup(text.c_str());
}

void TF_GraphGetOpDef(TF_Graph* graph, const char* op_name, TF_Buffer* output_op_def, TF_Status* status) {
  const std::string_view name = op_name != nullptr ? op_name : "";
  const millrace::Op* op = graph->state->graph->registry().Find(name);
  Set(status, op != nullptr ? Fill(millrace::SerializeOpDef(op->signature()), output_op_def)
                            : millrace::NotFound(millrace::Cat("expected an op of the registry, found '", name, "'")));
}
TF_Buffer* TF_GetAllOpList(void) {
  std::vector<millrace::OpDefValue> signatures;
  for (const millrace::Op* op : LoadedOps().ops()) signatures.push_back(op->signature());
  const std::string list = millrace::SerializeOpList(signatures);
  return TF_NewBufferFromString(list.data(), list.size());
}

unsigned char TF_TryEvaluateConstant(TF_Graph* graph, TF_Output output, TF_Tensor** result, TF_Status* status) {
  *result = nullptr;
  const GraphLock lock(*graph->state);
  const millrace::Result<TF_Tensor*> tensor = Constant(*graph->state->graph, output);
  Set(status, tensor.status());
  if (tensor.ok()) *result = *tensor;
  return *result != nullptr;
}

}  // extern "C"
