// What attributes make of a signature: dtypes of arguments, defaults, checks.
#include <algorithm>

#include "millrace/ops/registry/op.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// More tensors than any node has: a length that somebody made up.
constexpr int64_t kMaxArguments = int64_t{1} << 24;

template <typename T>
Status Get(const AttrMap& attrs, const std::string& name, std::string_view type, const T** value) {
  const auto it = attrs.find(name);
  if (it == attrs.end()) return InvalidArgument(Cat("attribute '", name, "' is missing: expected ", type));
  *value = it->second.get<T>();
  if (*value == nullptr) {
    return InvalidArgument(Cat("attribute '", name, "': expected ", type, ", found ", KindName(it->second.kind())));
  }
  return OkStatus();
}

Status AppendTypes(const ArgDef& arg, const AttrMap& attrs, std::vector<DType>* types) {
  if (!arg.type_list_attr.empty()) {
    const ListValue* list;
    MR_RETURN_IF_ERROR(Get(attrs, arg.type_list_attr, "list(type)", &list));
    for (DType t : list->type) types->push_back(arg.is_ref ? MakeRef(t) : t);
    return OkStatus();
  }
  DType type = arg.type;
  if (!arg.type_attr.empty()) {
    const DType* value;
    MR_RETURN_IF_ERROR(Get(attrs, arg.type_attr, "type", &value));
    type = *value;
  }
  if (arg.is_ref) type = MakeRef(type);
  int64_t count = 1;
  if (!arg.number_attr.empty()) {
    const int64_t* value;
    MR_RETURN_IF_ERROR(Get(attrs, arg.number_attr, "int", &value));
    count = *value;
    if (count < 0 || count > kMaxArguments) {
      return InvalidArgument(Cat("attribute '", arg.number_attr, "': expected a number of tensors, found ", count));
    }
  }
  types->insert(types->end(), static_cast<size_t>(count), type);
  return OkStatus();
}

// The kind that a value of attribute type `type` has; a list is kList.
AttrValue::Kind KindOf(std::string_view type) {
  using Kind = AttrValue::Kind;
  if (type == "string") return Kind::kString;
  if (type == "int") return Kind::kInt;
  if (type == "float") return Kind::kFloat;
  if (type == "bool") return Kind::kBool;
  if (type == "type") return Kind::kType;
  if (type == "shape") return Kind::kShape;
  if (type == "tensor") return Kind::kTensor;
  if (type == "func") return Kind::kFunc;
  return Kind::kList;
}

// Elements of a list by the attribute type of one; all others must be empty.
struct ListSizes {
  size_t own = 0, all = 0;
};
ListSizes SizesOf(const ListValue& list, std::string_view element) {
  const std::pair<std::string_view, size_t> sizes[] = {{"string", list.s.size()},      {"int", list.i.size()},
                                                       {"float", list.f.size()},       {"bool", list.b.size()},
                                                       {"type", list.type.size()},     {"shape", list.shape.size()},
                                                       {"tensor", list.tensor.size()}, {"func", list.func.size()}};
  ListSizes out;
  for (const auto& [type, size] : sizes) {
    if (type == element) out.own = size;
    out.all += size;
  }
  return out;
}

Status CheckTypeIsValid(const AttrDef& def, DType t) {
  if (IsValid(t)) return OkStatus();
  return InvalidArgument(Cat("attribute '", def.name, "': expected a dtype, found ", DTypeName(t)));
}

// A reference counts as its base type: frozen graphs carry such attributes.
Status CheckAllowed(const AttrDef& def, const AttrValue& value) {
  const ListValue* allowed = def.allowed_values.get<ListValue>();
  if (allowed == nullptr) return OkStatus();
  const auto type = [&](DType t) -> Status {
    const auto& list = allowed->type;
    if (list.empty() || std::find(list.begin(), list.end(), BaseType(t)) != list.end()) return OkStatus();
    std::vector<std::string> names;
    for (DType a : list) names.push_back(DTypeName(a));
    return InvalidArgument(
        Cat("attribute '", def.name, "': expected one of {", Join(names, ", "), "}, found ", DTypeName(t)));
  };
  const auto text = [&](const std::string& s) -> Status {
    const auto& list = allowed->s;
    if (list.empty() || std::find(list.begin(), list.end(), s) != list.end()) return OkStatus();
    return InvalidArgument(Cat("attribute '", def.name, "': expected one of {'", Join(list, "', '"), "'}, found ",
                               AttrValue(s).ToString()));
  };
  if (const DType* t = value.get<DType>()) return type(*t);
  if (const std::string* s = value.get<std::string>()) return text(*s);
  if (const ListValue* list = value.get<ListValue>()) {
    for (DType t : list->type) MR_RETURN_IF_ERROR(type(t));
    for (const std::string& s : list->s) MR_RETURN_IF_ERROR(text(s));
  }
  return OkStatus();
}

Status CheckAttr(const AttrDef& def, const AttrValue& value) {
  const AttrValue::Kind expected = KindOf(def.type);
  if (value.kind() != expected) {
    return InvalidArgument(Cat("attribute '", def.name, "': expected ", def.type, ", found ", KindName(value.kind()),
                               " ", value.ToString()));
  }
  if (const ListValue* list = value.get<ListValue>()) {
    const std::string_view element = std::string_view(def.type).substr(5, def.type.size() - 6);
    const ListSizes sizes = SizesOf(*list, element);
    if (sizes.own != sizes.all) {
      return InvalidArgument(Cat("attribute '", def.name, "': expected ", def.type, ", found ", value.ToString()));
    }
    if (def.has_minimum && static_cast<int64_t>(sizes.own) < def.minimum) {
      return InvalidArgument(
          Cat("attribute '", def.name, "': expected a list of at least ", def.minimum, " elements, found ", sizes.own));
    }
    for (DType t : list->type) MR_RETURN_IF_ERROR(CheckTypeIsValid(def, t));
  }
  if (const int64_t* number = value.get<int64_t>(); number != nullptr && def.has_minimum && *number < def.minimum) {
    return InvalidArgument(Cat("attribute '", def.name, "': expected at least ", def.minimum, ", found ", *number));
  }
  if (const DType* t = value.get<DType>()) MR_RETURN_IF_ERROR(CheckTypeIsValid(def, *t));
  return CheckAllowed(def, value);
}

}  // namespace

Status ArgumentTypes(const OpDefValue& signature, const AttrMap& attrs, std::vector<DType>* inputs,
                     std::vector<DType>* outputs) {
  inputs->clear();
  outputs->clear();
  for (const ArgDef& arg : signature.inputs) MR_RETURN_IF_ERROR(AppendTypes(arg, attrs, inputs));
  for (const ArgDef& arg : signature.outputs) MR_RETURN_IF_ERROR(AppendTypes(arg, attrs, outputs));
  return OkStatus();
}

Status CompleteAttrs(const Op& op, AttrMap* attrs) {
  for (const AttrDef& def : op.signature().attrs) {
    const auto it = attrs->find(def.name);
    if (it != attrs->end()) {
      MR_RETURN_IF_ERROR(CheckAttr(def, it->second));
    } else if (def.has_default) {
      attrs->emplace(def.name, def.default_value);
    } else {
      return InvalidArgument(Cat("attribute '", def.name, "' is missing: expected ", def.type));
    }
  }
  return OkStatus();
}

}  // namespace millrace
