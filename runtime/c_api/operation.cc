// TF_Operation: what a node of a graph says of itself and its neighbours.
#include <algorithm>
#include <set>

#include "millrace/proto/codec/graph_def.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/c_api/internal.h"

namespace millrace::c_api {
namespace {

// Tensors of the argument of that name among `arguments`.
Result<int> ArgumentLength(const Node& node, const std::vector<ArgDef>& arguments, const char* name,
                           std::string_view what) {
  const std::string_view wanted = name != nullptr ? name : "";
  const auto arg = std::find_if(arguments.begin(), arguments.end(), [&](const ArgDef& a) { return a.name == wanted; });
  if (arg == arguments.end()) {
    return InvalidArgument(Cat("expected the name of an ", what, " argument, found '", wanted, "'"))
        .At(node.name(), node.op().name());
  }
  if (!arg->number_attr.empty()) {
    const int64_t* count = node.attrs().find(arg->number_attr)->second.get<int64_t>();
    return count != nullptr ? static_cast<int>(*count) : 0;
  }
  if (!arg->type_list_attr.empty()) {
    const ListValue* types = node.attrs().find(arg->type_list_attr)->second.get<ListValue>();
    return types != nullptr ? static_cast<int>(types->type.size()) : 0;
  }
  return 1;
}

int LengthOr(Result<int> length, TF_Status* status) {
  Set(status, length.status());
  return length.ok() ? *length : -1;
}

// Every edge that leaves `output`, a user at a time.
template <typename Visit>
void ForConsumers(const TF_Output& output, const Visit& visit) {
  const Endpoint from = ToEndpoint(output);
  std::set<const Node*> seen;
  for (Node* user : from.node->users()) {
    if (!seen.insert(user).second) continue;
    for (size_t i = 0; i < user->inputs().size(); ++i) {
      if (user->inputs()[i] == from) visit(TF_Input{FromNode(user), static_cast<int>(i)});
    }
  }
}

int Copy(const std::vector<Node*>& nodes, TF_Operation** out, int max) {
  for (size_t i = 0; i < nodes.size() && static_cast<int>(i) < max; ++i) out[i] = FromNode(nodes[i]);
  return static_cast<int>(nodes.size());
}

TF_DataType TypeAt(const std::vector<DType>& types, int index) {
  if (index < 0 || static_cast<size_t>(index) >= types.size()) return static_cast<TF_DataType>(0);
  return static_cast<TF_DataType>(types[static_cast<size_t>(index)]);
}

}  // namespace
}  // namespace millrace::c_api

using namespace millrace::c_api;  // NOLINT: the helpers above

extern "C" {

const char* TF_OperationName(TF_Operation* oper) { return ToNode(oper)->name().c_str(); }
const char* TF_OperationOpType(TF_Operation* oper) { return ToNode(oper)->op().name().c_str(); }
const char* TF_OperationDevice(TF_Operation* oper) { return ToNode(oper)->device().c_str(); }

int TF_OperationNumOutputs(TF_Operation* oper) { return ToNode(oper)->num_outputs(); }
TF_DataType TF_OperationOutputType(TF_Output oper_out) {
  return TypeAt(ToNode(oper_out.oper)->output_types(), oper_out.index);
}
int TF_OperationOutputListLength(TF_Operation* oper, const char* arg_name, TF_Status* status) {
  const millrace::Node& node = *ToNode(oper);
  return LengthOr(ArgumentLength(node, node.op().signature().outputs, arg_name, "output"), status);
}
int TF_OperationNumInputs(TF_Operation* oper) { return static_cast<int>(ToNode(oper)->inputs().size()); }
TF_DataType TF_OperationInputType(TF_Input oper_in) {
  return TypeAt(ToNode(oper_in.oper)->input_types(), oper_in.index);
}
int TF_OperationInputListLength(TF_Operation* oper, const char* arg_name, TF_Status* status) {
  const millrace::Node& node = *ToNode(oper);
  return LengthOr(ArgumentLength(node, node.op().signature().inputs, arg_name, "input"), status);
}
TF_Output TF_OperationInput(TF_Input oper_in) {
  const auto& inputs = ToNode(oper_in.oper)->inputs();
  if (oper_in.index < 0 || static_cast<size_t>(oper_in.index) >= inputs.size()) return {nullptr, 0};
  return FromEndpoint(inputs[static_cast<size_t>(oper_in.index)]);
}
void TF_OperationAllInputs(TF_Operation* oper, TF_Output* inputs, int max_inputs) {
  const auto& from = ToNode(oper)->inputs();
  for (size_t i = 0; i < from.size() && static_cast<int>(i) < max_inputs; ++i) inputs[i] = FromEndpoint(from[i]);
}

int TF_OperationOutputNumConsumers(TF_Output oper_out) {
  int count = 0;
  ForConsumers(oper_out, [&](const TF_Input&) { ++count; });
  return count;
}
int TF_OperationOutputConsumers(TF_Output oper_out, TF_Input* consumers, int max_consumers) {
  int count = 0;
  ForConsumers(oper_out, [&](const TF_Input& in) {
    if (count < max_consumers) consumers[count] = in;
    ++count;
  });
  return count;
}

int TF_OperationNumControlInputs(TF_Operation* oper) { return static_cast<int>(ToNode(oper)->control_inputs().size()); }
int TF_OperationGetControlInputs(TF_Operation* oper, TF_Operation** control_inputs, int max_control_inputs) {
  return Copy(ToNode(oper)->control_inputs(), control_inputs, max_control_inputs);
}
int TF_OperationNumControlOutputs(TF_Operation* oper) { return static_cast<int>(ToNode(oper)->control_users().size()); }
int TF_OperationGetControlOutputs(TF_Operation* oper, TF_Operation** control_outputs, int max_control_outputs) {
  return Copy(ToNode(oper)->control_users(), control_outputs, max_control_outputs);
}

void TF_OperationToNodeDef(TF_Operation* oper, TF_Buffer* output_node_def, TF_Status* status) {
  Set(status, Fill(millrace::SerializeNodeDef(ToNode(oper)->ToNodeDef()), output_node_def));
}

}  // extern "C"
