// TF_OperationDescription: a node in the making, and its attributes.
#include <algorithm>

#include "millrace/ops/graph/function.h"
#include "millrace/proto/codec/attr.h"
#include "millrace/proto/codec/tensor.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/c_api/internal.h"
#include "millrace/runtime/c_api/strings.h"

using millrace::AttrValue;
using millrace::DType;
using millrace::Endpoint;
using millrace::ListValue;
using millrace::Shape;
using millrace::ShapeValue;
using millrace::c_api::Set;

struct TF_OperationDescription {
  std::shared_ptr<GraphState> state;
  millrace::NodeSpec spec;
  // As the calls gave them: one tensor, or a list.
  struct Argument {
    bool is_list;
    std::vector<Endpoint> tensors;
  };
  std::vector<Argument> arguments;
  std::vector<std::string> colocation;  // "loc@..." groups
  millrace::Status error;               // the first of a call that has no status of its own

  void Fail(millrace::Status s) {
    if (error.ok()) error = std::move(s);
  }
  void SetAttr(const char* name, AttrValue value) {
    if (name == nullptr) return Fail(millrace::InvalidArgument("expected the name of an attribute, found null"));
    spec.attrs.insert_or_assign(name, std::move(value));
  }
};

namespace millrace::c_api {
namespace {

// What the arguments say of the attributes that type and count them; what the
// caller said of them stays.
Status InferAttrs(const OpDefValue& signature, const std::vector<TF_OperationDescription::Argument>& arguments,
                  AttrMap* attrs) {
  if (arguments.size() != signature.inputs.size()) {
    return InvalidArgument(Cat("expected ", signature.inputs.size(), " arguments, found ", arguments.size()));
  }
  for (size_t i = 0; i < arguments.size(); ++i) {
    const ArgDef& def = signature.inputs[i];
    const auto& argument = arguments[i];
    const bool is_list = !def.number_attr.empty() || !def.type_list_attr.empty();
    if (is_list != argument.is_list) {
      return InvalidArgument(
          Cat("argument '", def.name, "': expected ",
              is_list ? "a list (TF_AddInputList), found one tensor" : "one tensor (TF_AddInput), found a list"));
    }
    ListValue types;
    for (size_t k = 0; k < argument.tensors.size(); ++k) {
      const Endpoint from = argument.tensors[k];
      if (from.node == nullptr) {
        return InvalidArgument(Cat("argument '", def.name, "': expected a tensor, found null"));
      }
      if (from.index < 0 || from.index >= from.node->num_outputs()) {
        return InvalidArgument(Cat("argument '", def.name, "': expected an output of '", from.node->name(),
                                   "', which has ", from.node->num_outputs(), ", found number ", from.index));
      }
      types.type.push_back(BaseType(from.node->output_types()[static_cast<size_t>(from.index)]));
    }
    if (!def.type_attr.empty() && !types.type.empty()) attrs->try_emplace(def.type_attr, types.type[0]);
    if (!def.number_attr.empty()) attrs->try_emplace(def.number_attr, static_cast<int64_t>(types.type.size()));
    if (!def.type_list_attr.empty()) attrs->try_emplace(def.type_list_attr, std::move(types));
  }
  return OkStatus();
}

Result<Node*> AddCall(Graph& graph, const NodeSpec& spec) {
  GraphDef def;
  def.versions = graph.versions();
  NodeDef& node = def.nodes.emplace_back(NodeDef{spec.name, spec.op, {}, spec.device, spec.attrs, {}});
  for (const Endpoint& e : spec.inputs) {
    if (e.node == nullptr) return InvalidArgument("expected a tensor, found null").At(spec.name, spec.op);
    if (graph.Find(e.node->name()) != e.node) {
      return InvalidArgument(Cat("expected a node of this graph, found '", e.node->name(), "'")).At(spec.name, spec.op);
    }
    node.inputs.push_back(Cat(e.node->name(), ":", e.index));
  }
  for (const Node* before : spec.control_inputs) {
    if (before == nullptr) return InvalidArgument("control input: found null").At(spec.name, spec.op);
    node.inputs.push_back("^" + before->name());
  }
  ImportResults results;
  MR_RETURN_IF_ERROR(graph.Import(def, {}, &results));
  return results.nodes[0];
}

Result<Node*> Finish(TF_OperationDescription* desc) {
  MR_RETURN_IF_ERROR(desc->error);
  NodeSpec& spec = desc->spec;
  Graph& graph = *desc->state->graph;
  if (const Op* op = graph.registry().Find(spec.op); op != nullptr) {
    const Status inferred = InferAttrs(op->signature(), desc->arguments, &spec.attrs);
    if (!inferred.ok()) return inferred.At(spec.name, spec.op);
  }
  for (const auto& argument : desc->arguments) {
    spec.inputs.insert(spec.inputs.end(), argument.tensors.begin(), argument.tensors.end());
  }
  if (!desc->colocation.empty()) {
    ListValue groups;
    groups.s = desc->colocation;
    std::sort(groups.s.begin(), groups.s.end());
    groups.s.erase(std::unique(groups.s.begin(), groups.s.end()), groups.s.end());
    spec.attrs.insert_or_assign("_class", std::move(groups));
  }
  // Calls of functions become the nodes of their bodies, as in an import.
  if (IsCallOp(spec.op) || graph.FindFunction(spec.op) != nullptr) return AddCall(graph, spec);
  return graph.AddNode(std::move(spec));
}

Shape ShapeOf(const int64_t* dims, int num_dims) {
  if (num_dims < 0) return Shape::UnknownRank();
  return Shape(std::span<const int64_t>(dims, static_cast<size_t>(num_dims)));
}

std::string Text(const void* value, size_t length) {
  return length == 0 ? std::string() : std::string(static_cast<const char*>(value), length);
}

Result<AttrValue> TensorAttr(const TF_Tensor* tensor) {
  if (tensor == nullptr) return InvalidArgument("expected a tensor, found null");
  MR_ASSIGN_OR_RETURN(const Tensor copy, CopyOf(*tensor));
  return AttrValue(copy.ToValue());
}

// An attribute, or what is wrong, to the status of the call.
void SetOrFail(TF_OperationDescription* desc, const char* name, const Result<AttrValue>& value, TF_Status* status) {
  if (!value.ok()) {
    const std::string_view attr = name != nullptr ? name : "";
    return Set(status, Status(value.status().code(), Cat("attribute '", attr, "': ", value.status().message()))
                           .At(desc->spec.name, desc->spec.op));
  }
  Set(status, OkStatus());
  desc->SetAttr(name, *std::move(value));
}

// A list of `count` values made one by one.
template <typename Member, typename At>
AttrValue ListOf(Member member, int count, const At& at) {
  ListValue list;
  for (int i = 0; i < count; ++i) (list.*member).push_back(at(i));
  return list;
}

}  // namespace
}  // namespace millrace::c_api

using namespace millrace::c_api;  // NOLINT: the helpers above

extern "C" {

TF_OperationDescription* TF_NewOperation(TF_Graph* graph, const char* op_type, const char* oper_name) {
  auto* desc = new TF_OperationDescription;
  desc->state = graph->state;
  if (op_type == nullptr || oper_name == nullptr) {
    desc->Fail(millrace::InvalidArgument("expected the names of an op and of a node, found null"));
  }
  desc->spec.op = op_type != nullptr ? op_type : "";
  desc->spec.name = oper_name != nullptr ? oper_name : "";
  return desc;
}

TF_Operation* TF_FinishOperation(TF_OperationDescription* desc, TF_Status* status) {
  const std::unique_ptr<TF_OperationDescription> owner(desc);
  const GraphLock lock(*desc->state);
  const millrace::Result<millrace::Node*> node = Finish(desc);
  Set(status, node.status());
  return node.ok() ? FromNode(*node) : nullptr;
}

void TF_SetDevice(TF_OperationDescription* desc, const char* device) {
  desc->spec.device = device != nullptr ? device : "";
}
void TF_AddInput(TF_OperationDescription* desc, TF_Output input) {
  desc->arguments.push_back({false, {ToEndpoint(input)}});
}
void TF_AddInputList(TF_OperationDescription* desc, const TF_Output* inputs, int num_inputs) {
  auto& argument = desc->arguments.emplace_back(TF_OperationDescription::Argument{true, {}});
  for (int i = 0; i < num_inputs; ++i) argument.tensors.push_back(ToEndpoint(inputs[i]));
}
void TF_AddControlInput(TF_OperationDescription* desc, TF_Operation* input) {
  millrace::Node* before = ToMutable(input);
  auto& controls = desc->spec.control_inputs;
  if (std::find(controls.begin(), controls.end(), before) == controls.end()) controls.push_back(before);
}
void TF_ColocateWith(TF_OperationDescription* desc, TF_Operation* op) {
  if (op == nullptr) return desc->Fail(millrace::InvalidArgument("colocation: expected a node, found null"));
  const millrace::Node* with = ToNode(op);
  const auto it = with->attrs().find("_class");
  const ListValue* groups = it == with->attrs().end() ? nullptr : it->second.get<ListValue>();
  if (groups == nullptr || groups->s.empty()) return desc->colocation.push_back("loc:@" + with->name());
  desc->colocation.insert(desc->colocation.end(), groups->s.begin(), groups->s.end());
}

void TF_SetAttrString(TF_OperationDescription* desc, const char* attr_name, const void* value, size_t length) {
  if (std::string_view(attr_name != nullptr ? attr_name : "") == "_class") {
    return desc->Fail(millrace::InvalidArgument("attribute '_class': expected a list of strings, found one string"));
  }
  desc->SetAttr(attr_name, Text(value, length));
}
void TF_SetAttrStringList(TF_OperationDescription* desc, const char* attr_name, const void* const* values,
                          const size_t* lengths, int num_values) {
  AttrValue list = ListOf(&ListValue::s, num_values, [&](int i) { return Text(values[i], lengths[i]); });
  if (attr_name != nullptr && std::string_view(attr_name) == "_class") {
    desc->colocation = list.get<ListValue>()->s;
    return;
  }
  desc->SetAttr(attr_name, std::move(list));
}
void TF_SetAttrInt(TF_OperationDescription* desc, const char* attr_name, int64_t value) {
  desc->SetAttr(attr_name, value);
}
void TF_SetAttrIntList(TF_OperationDescription* desc, const char* attr_name, const int64_t* values, int num_values) {
  desc->SetAttr(attr_name, ListOf(&ListValue::i, num_values, [&](int i) { return values[i]; }));
}
void TF_SetAttrFloat(TF_OperationDescription* desc, const char* attr_name, float value) {
  desc->SetAttr(attr_name, value);
}
void TF_SetAttrFloatList(TF_OperationDescription* desc, const char* attr_name, const float* values, int num_values) {
  desc->SetAttr(attr_name, ListOf(&ListValue::f, num_values, [&](int i) { return values[i]; }));
}
void TF_SetAttrBool(TF_OperationDescription* desc, const char* attr_name, unsigned char value) {
  desc->SetAttr(attr_name, value != 0);
}
void TF_SetAttrBoolList(TF_OperationDescription* desc, const char* attr_name, const unsigned char* values,
                        int num_values) {
  desc->SetAttr(attr_name, ListOf(&ListValue::b, num_values, [&](int i) { return values[i] != 0; }));
}
void TF_SetAttrType(TF_OperationDescription* desc, const char* attr_name, TF_DataType value) {
  desc->SetAttr(attr_name, static_cast<DType>(value));
}
void TF_SetAttrTypeList(TF_OperationDescription* desc, const char* attr_name, const TF_DataType* values,
                        int num_values) {
  desc->SetAttr(attr_name, ListOf(&ListValue::type, num_values, [&](int i) { return static_cast<DType>(values[i]); }));
}
void TF_SetAttrPlaceholder(TF_OperationDescription* desc, const char* attr_name, const char* placeholder) {
  desc->SetAttr(attr_name, millrace::AttrPlaceholder{placeholder != nullptr ? placeholder : ""});
}
void TF_SetAttrFuncName(TF_OperationDescription* desc, const char* attr_name, const char* value, size_t length) {
  desc->SetAttr(attr_name, millrace::FuncValue{Text(value, length), nullptr});
}
void TF_SetAttrShape(TF_OperationDescription* desc, const char* attr_name, const int64_t* dims, int num_dims) {
  desc->SetAttr(attr_name, ShapeOf(dims, num_dims));
}
void TF_SetAttrShapeList(TF_OperationDescription* desc, const char* attr_name, const int64_t* const* dims,
                         const int* num_dims, int num_shapes) {
  desc->SetAttr(attr_name, ListOf(&ListValue::shape, num_shapes,
                                  [&](int i) { return ShapeValue{ShapeOf(dims[i], num_dims[i]), {}}; }));
}
void TF_SetAttrTensorShapeProto(TF_OperationDescription* desc, const char* attr_name, const void* proto,
                                size_t proto_len, TF_Status* status) {
  millrace::Result<ShapeValue> shape = millrace::ParseShape(millrace::Bytes(Text(proto, proto_len)));
  if (!shape.ok()) return SetOrFail(desc, attr_name, shape.status(), status);
  SetOrFail(desc, attr_name, AttrValue(*std::move(shape)), status);
}
void TF_SetAttrTensorShapeProtoList(TF_OperationDescription* desc, const char* attr_name, const void* const* protos,
                                    const size_t* proto_lens, int num_shapes, TF_Status* status) {
  ListValue list;
  for (int i = 0; i < num_shapes; ++i) {
    millrace::Result<ShapeValue> shape = millrace::ParseShape(millrace::Bytes(Text(protos[i], proto_lens[i])));
    if (!shape.ok()) return SetOrFail(desc, attr_name, shape.status(), status);
    list.shape.push_back(*std::move(shape));
  }
  SetOrFail(desc, attr_name, AttrValue(std::move(list)), status);
}
void TF_SetAttrTensor(TF_OperationDescription* desc, const char* attr_name, TF_Tensor* value, TF_Status* status) {
  SetOrFail(desc, attr_name, TensorAttr(value), status);
}
void TF_SetAttrTensorList(TF_OperationDescription* desc, const char* attr_name, TF_Tensor* const* values,
                          int num_values, TF_Status* status) {
  ListValue list;
  for (int i = 0; i < num_values; ++i) {
    millrace::Result<AttrValue> tensor = TensorAttr(values[i]);
    if (!tensor.ok()) return SetOrFail(desc, attr_name, tensor.status(), status);
    list.tensor.push_back(*tensor->get<std::shared_ptr<const millrace::TensorValue>>());
  }
  SetOrFail(desc, attr_name, AttrValue(std::move(list)), status);
}
void TF_SetAttrValueProto(TF_OperationDescription* desc, const char* attr_name, const void* proto, size_t proto_len,
                          TF_Status* status) {
  SetOrFail(desc, attr_name, millrace::ParseAttr(millrace::Bytes(Text(proto, proto_len))), status);
}

}  // extern "C"
