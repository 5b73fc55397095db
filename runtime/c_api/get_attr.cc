// TF_OperationGetAttr...: attributes of a node, read back.
#include <algorithm>
#include <cstring>
#include <iterator>

#include "millrace/proto/codec/attr.h"
#include "millrace/proto/codec/tensor.h"
#include "millrace/proto/value/strings.h"
#include "millrace/runtime/c_api/internal.h"
#include "millrace/runtime/c_api/strings.h"

namespace millrace::c_api {
namespace {

using TensorRef = std::shared_ptr<const TensorValue>;
using Kind = AttrValue::Kind;

Status Blame(const Node& node, const Status& s) { return s.At(node.name(), node.op().name()); }

Result<const AttrValue*> Find(const Node& node, const char* name) {
  const std::string_view wanted = name != nullptr ? name : "";
  const auto it = node.attrs().find(wanted);
  if (it != node.attrs().end()) return &it->second;
  return Blame(node, InvalidArgument(Cat("expected the name of an attribute, found '", wanted, "', which it lacks")));
}

// The attribute as T; an error says what it is instead.
template <typename T>
const T* Get(TF_Operation* oper, const char* name, std::string_view expected, TF_Status* status) {
  const Node& node = *ToNode(oper);
  const Result<const AttrValue*> value = Find(node, name);
  Set(status, value.status());
  if (!value.ok()) return nullptr;
  const T* typed = (*value)->get<T>();
  if (typed != nullptr) return typed;
  Set(status, Blame(node, InvalidArgument(Cat("attribute '", name, "': expected ", expected, ", found ",
                                              KindName((*value)->kind())))));
  return nullptr;
}

template <typename T, typename Out>
void GetOne(TF_Operation* oper, const char* name, std::string_view expected, Out* out, TF_Status* status) {
  if (const T* value = Get<T>(oper, name, expected, status); value != nullptr) *out = static_cast<Out>(*value);
}

// What kind of list an attribute is, by what it holds or, if empty, by the op.
struct ListKind {
  TF_AttrType type;
  std::string_view name;
  int64_t size;
};
ListKind KindOf(const Node& node, std::string_view name, const ListValue& list) {
  const ListKind kinds[] = {
      {TF_ATTR_STRING, "string", std::ssize(list.s)},      {TF_ATTR_INT, "int", std::ssize(list.i)},
      {TF_ATTR_FLOAT, "float", std::ssize(list.f)},        {TF_ATTR_BOOL, "bool", std::ssize(list.b)},
      {TF_ATTR_TYPE, "type", std::ssize(list.type)},       {TF_ATTR_SHAPE, "shape", std::ssize(list.shape)},
      {TF_ATTR_TENSOR, "tensor", std::ssize(list.tensor)}, {TF_ATTR_FUNC, "func", std::ssize(list.func)}};
  for (const ListKind& kind : kinds) {
    if (kind.size != 0) return kind;
  }
  const AttrDef* def = node.op().FindAttr(name);
  for (const ListKind& kind : kinds) {
    if (def != nullptr && def->type == Cat("list(", kind.name, ")")) return kind;
  }
  return kinds[0];
}

// A list whose elements are in `member`, or are none at all.
template <typename T>
const std::vector<T>* GetList(TF_Operation* oper, const char* name, std::vector<T> ListValue::* member,
                              std::string_view expected, TF_Status* status) {
  const ListValue* list = Get<ListValue>(oper, name, Cat("list(", expected, ")"), status);
  if (list == nullptr) return nullptr;
  const ListKind kind = KindOf(*ToNode(oper), name, *list);
  if ((list->*member).empty() && kind.size != 0) {
    Set(status, Blame(*ToNode(oper), InvalidArgument(Cat("attribute '", name, "': expected list(", expected,
                                                         "), found list(", kind.name, ")"))));
    return nullptr;
  }
  return &(list->*member);
}

template <typename T, typename Out>
void CopyList(TF_Operation* oper, const char* name, std::vector<T> ListValue::* member, std::string_view expected,
              Out* out, int max, TF_Status* status) {
  const std::vector<T>* list = GetList(oper, name, member, expected, status);
  if (list == nullptr) return;
  for (size_t i = 0; i < list->size() && static_cast<int>(i) < max; ++i) out[i] = static_cast<Out>((*list)[i]);
}

Result<TF_Tensor*> NewTensorOf(const TensorValue& value) {
  MR_ASSIGN_OR_RETURN(const Tensor tensor, Tensor::FromValue(value, HostAllocator()));
  return NewCopyOf(tensor);
}

Status NoRoom(TF_Operation* oper, const char* name, size_t needed, std::string_view unit, int64_t found) {
  return Blame(*ToNode(oper), InvalidArgument(Cat("attribute '", name, "': expected room for at least ", needed, " ",
                                                  unit, ", found ", found)));
}

TF_AttrMetadata MetadataOf(const Node& node, std::string_view name, const AttrValue& value, TF_Status* status) {
  TF_AttrMetadata out = {0, -1, TF_ATTR_STRING, -1};
  if (const ListValue* list = value.get<ListValue>()) {
    const ListKind kind = KindOf(node, name, *list);
    out = {1, kind.size, kind.type, -1};
    if (kind.type == TF_ATTR_STRING) {
      out.total_size = 0;
      for (const std::string& s : list->s) out.total_size += std::ssize(s);
    } else if (kind.type == TF_ATTR_SHAPE) {
      out.total_size = 0;
      for (const ShapeValue& s : list->shape) out.total_size += std::max(s.shape.rank(), 0);
    }
    return out;
  }
  switch (value.kind()) {
    case Kind::kString:
      out.total_size = std::ssize(*value.get<std::string>());
      break;
    case Kind::kInt:
      out.type = TF_ATTR_INT;
      break;
    case Kind::kFloat:
      out.type = TF_ATTR_FLOAT;
      break;
    case Kind::kBool:
      out.type = TF_ATTR_BOOL;
      break;
    case Kind::kType:
      out.type = TF_ATTR_TYPE;
      break;
    case Kind::kShape:
      out.type = TF_ATTR_SHAPE;
      out.total_size = value.get<ShapeValue>()->shape.rank();
      break;
    case Kind::kTensor:
      out.type = TF_ATTR_TENSOR;
      break;
    case Kind::kPlaceholder:
      out.type = TF_ATTR_PLACEHOLDER;
      break;
    case Kind::kFunc:
      out.type = TF_ATTR_FUNC;
      break;
    default:
      Set(status, Blame(node, InvalidArgument(Cat("attribute '", name, "': expected a value, found none"))));
      break;
  }
  return out;
}

}  // namespace
}  // namespace millrace::c_api

using namespace millrace::c_api;  // NOLINT: the helpers above
using millrace::DType;
using millrace::ListValue;
using millrace::ShapeValue;

extern "C" {

TF_AttrMetadata TF_OperationGetAttrMetadata(TF_Operation* oper, const char* attr_name, TF_Status* status) {
  const millrace::Result<const millrace::AttrValue*> value = Find(*ToNode(oper), attr_name);
  Set(status, value.status());
  if (!value.ok()) return {0, -1, TF_ATTR_STRING, -1};
  return MetadataOf(*ToNode(oper), attr_name, **value, status);
}

void TF_OperationGetAttrString(TF_Operation* oper, const char* attr_name, void* value, size_t max_length,
                               TF_Status* status) {
  const std::string* text = Get<std::string>(oper, attr_name, "string", status);
  if (text == nullptr) return;
  if (const size_t n = std::min(text->size(), max_length); n != 0) std::memcpy(value, text->data(), n);
}
void TF_OperationGetAttrStringList(TF_Operation* oper, const char* attr_name, void** values, size_t* lengths,
                                   int max_values, void* storage, size_t storage_size, TF_Status* status) {
  const std::vector<std::string>* list = GetList(oper, attr_name, &ListValue::s, "string", status);
  if (list == nullptr) return;
  size_t used = 0;
  for (size_t i = 0; i < list->size() && static_cast<int>(i) < max_values; ++i) {
    const std::string& text = (*list)[i];
    if (text.size() > storage_size - used) {
      return Set(status, NoRoom(oper, attr_name, used + text.size(), "bytes", static_cast<int64_t>(storage_size)));
    }
    values[i] = static_cast<char*>(storage) + used;
    lengths[i] = text.size();
    if (!text.empty()) std::memcpy(values[i], text.data(), text.size());
    used += text.size();
  }
}
void TF_OperationGetAttrInt(TF_Operation* oper, const char* attr_name, int64_t* value, TF_Status* status) {
  GetOne<int64_t>(oper, attr_name, "int", value, status);
}
void TF_OperationGetAttrIntList(TF_Operation* oper, const char* attr_name, int64_t* values, int max_values,
                                TF_Status* status) {
  CopyList(oper, attr_name, &ListValue::i, "int", values, max_values, status);
}
void TF_OperationGetAttrFloat(TF_Operation* oper, const char* attr_name, float* value, TF_Status* status) {
  GetOne<float>(oper, attr_name, "float", value, status);
}
void TF_OperationGetAttrFloatList(TF_Operation* oper, const char* attr_name, float* values, int max_values,
                                  TF_Status* status) {
  CopyList(oper, attr_name, &ListValue::f, "float", values, max_values, status);
}
void TF_OperationGetAttrBool(TF_Operation* oper, const char* attr_name, unsigned char* value, TF_Status* status) {
  GetOne<bool>(oper, attr_name, "bool", value, status);
}
void TF_OperationGetAttrBoolList(TF_Operation* oper, const char* attr_name, unsigned char* values, int max_values,
                                 TF_Status* status) {
  CopyList(oper, attr_name, &ListValue::b, "bool", values, max_values, status);
}
void TF_OperationGetAttrType(TF_Operation* oper, const char* attr_name, TF_DataType* value, TF_Status* status) {
  GetOne<DType>(oper, attr_name, "type", value, status);
}
void TF_OperationGetAttrTypeList(TF_Operation* oper, const char* attr_name, TF_DataType* values, int max_values,
                                 TF_Status* status) {
  CopyList(oper, attr_name, &ListValue::type, "type", values, max_values, status);
}
void TF_OperationGetAttrShape(TF_Operation* oper, const char* attr_name, int64_t* value, int num_dims,
                              TF_Status* status) {
  const ShapeValue* shape = Get<ShapeValue>(oper, attr_name, "shape", status);
  if (shape == nullptr) return;
  for (int i = 0; i < std::min(num_dims, shape->shape.rank()); ++i) value[i] = shape->shape.dim(i);
}
void TF_OperationGetAttrShapeList(TF_Operation* oper, const char* attr_name, int64_t** dims, int* num_dims,
                                  int num_shapes, int64_t* storage, int storage_size, TF_Status* status) {
  const std::vector<ShapeValue>* list = GetList(oper, attr_name, &ListValue::shape, "shape", status);
  if (list == nullptr) return;
  int used = 0;
  for (size_t i = 0; i < list->size() && static_cast<int>(i) < num_shapes; ++i) {
    const millrace::Shape& shape = (*list)[i].shape;
    num_dims[i] = shape.rank();
    dims[i] = nullptr;
    if (!shape.has_rank()) continue;
    if (shape.rank() > storage_size - used) {
      return Set(status, NoRoom(oper, attr_name, static_cast<size_t>(used) + static_cast<size_t>(shape.rank()),
                                "extents", storage_size));
    }
    dims[i] = storage + used;
    std::copy(shape.dims().begin(), shape.dims().end(), dims[i]);
    used += shape.rank();
  }
}
void TF_OperationGetAttrTensorShapeProto(TF_Operation* oper, const char* attr_name, TF_Buffer* value,
                                         TF_Status* status) {
  const ShapeValue* shape = Get<ShapeValue>(oper, attr_name, "shape", status);
  if (shape != nullptr) Set(status, Fill(millrace::SerializeShape(*shape), value));
}
void TF_OperationGetAttrTensorShapeProtoList(TF_Operation* oper, const char* attr_name, TF_Buffer** values,
                                             int max_values, TF_Status* status) {
  const std::vector<ShapeValue>* list = GetList(oper, attr_name, &ListValue::shape, "shape", status);
  if (list == nullptr) return;
  for (size_t i = 0; i < list->size() && static_cast<int>(i) < max_values; ++i) {
    const std::string proto = millrace::SerializeShape((*list)[i]);
    values[i] = TF_NewBufferFromString(proto.data(), proto.size());
  }
}
void TF_OperationGetAttrTensor(TF_Operation* oper, const char* attr_name, TF_Tensor** value, TF_Status* status) {
  *value = nullptr;
  const TensorRef* tensor = Get<TensorRef>(oper, attr_name, "tensor", status);
  if (tensor == nullptr) return;
  const millrace::Result<TF_Tensor*> made = NewTensorOf(**tensor);
  Set(status, made.status());
  if (made.ok()) *value = *made;
}
void TF_OperationGetAttrTensorList(TF_Operation* oper, const char* attr_name, TF_Tensor** values, int max_values,
                                   TF_Status* status) {
  const std::vector<TensorRef>* list = GetList(oper, attr_name, &ListValue::tensor, "tensor", status);
  if (list == nullptr) return;
  for (size_t i = 0; i < list->size() && static_cast<int>(i) < max_values; ++i) {
    const millrace::Result<TF_Tensor*> made = NewTensorOf(*(*list)[i]);
    values[i] = made.ok() ? *made : nullptr;
    if (made.ok()) continue;
    for (size_t k = 0; k < i; ++k) {
      TF_DeleteTensor(values[k]);
      values[k] = nullptr;
    }
    return Set(status, made.status());
  }
}
void TF_OperationGetAttrValueProto(TF_Operation* oper, const char* attr_name, TF_Buffer* output_attr_value,
                                   TF_Status* status) {
  const millrace::Result<const millrace::AttrValue*> value = Find(*ToNode(oper), attr_name);
  Set(status, value.ok() ? Fill(millrace::SerializeAttr(**value), output_attr_value) : value.status());
}

int TF_OperationGetNumAttrs(TF_Operation* oper) { return static_cast<int>(ToNode(oper)->attrs().size()); }
int TF_OperationGetAttrNameLength(TF_Operation* oper, int i) {
  const auto& attrs = ToNode(oper)->attrs();
  if (i < 0 || static_cast<size_t>(i) >= attrs.size()) return -1;
  return static_cast<int>(std::next(attrs.begin(), i)->first.size());
}
void TF_OperationGetAttrName(TF_Operation* oper, int i, char* output, TF_Status* status) {
  const auto& attrs = ToNode(oper)->attrs();
  if (i < 0 || static_cast<size_t>(i) >= attrs.size()) {
    return Set(status, Blame(*ToNode(oper), millrace::OutOfRange(millrace::Cat("expected one of ", attrs.size(),
                                                                               " attributes, found number ", i))));
  }
  Set(status, millrace::OkStatus());
  const std::string& name = std::next(attrs.begin(), i)->first;
  std::memcpy(output, name.c_str(), name.size() + 1);
}

}  // extern "C"
