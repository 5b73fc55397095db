#include "millrace/ops/builder/generated.h"

namespace millrace::builder {
namespace {

AttrValue ToAttr(const std::string& v) { return v; }
AttrValue ToAttr(int64_t v) { return v; }
AttrValue ToAttr(float v) { return v; }
AttrValue ToAttr(bool v) { return v; }
AttrValue ToAttr(DType v) { return v; }
AttrValue ToAttr(const Shape& v) { return v; }
AttrValue ToAttr(const Tensor& v) { return v.ToValue(); }
AttrValue ToAttr(const FuncValue& v) { return v; }

AttrValue ToAttr(const std::vector<std::string>& v) {
  ListValue list;
  list.s = v;
  return list;
}
AttrValue ToAttr(const std::vector<int64_t>& v) {
  ListValue list;
  list.i = v;
  return list;
}
AttrValue ToAttr(const std::vector<float>& v) {
  ListValue list;
  list.f = v;
  return list;
}
AttrValue ToAttr(const std::vector<bool>& v) {
  ListValue list;
  list.b = v;
  return list;
}
AttrValue ToAttr(const std::vector<DType>& v) {
  ListValue list;
  list.type = v;
  return list;
}
AttrValue ToAttr(const std::vector<Shape>& v) {
  ListValue list;
  for (const Shape& shape : v) list.shape.push_back({shape, {}});
  return list;
}
AttrValue ToAttr(const std::vector<Tensor>& v) {
  ListValue list;
  for (const Tensor& tensor : v) list.tensor.push_back(std::make_shared<const TensorValue>(tensor.ToValue()));
  return list;
}
AttrValue ToAttr(const std::vector<FuncValue>& v) {
  ListValue list;
  list.func = v;
  return list;
}

}  // namespace

#define MILLRACE_DEFINE(...)                                \
  template <>                                               \
  AttrValue AttrRef::Copy<__VA_ARGS__>(const void* value) { \
    return ToAttr(*static_cast<const __VA_ARGS__*>(value)); \
  }
MILLRACE_ATTR_TYPES(MILLRACE_DEFINE)
#undef MILLRACE_DEFINE

Operation Generated(const At& at, const char* op, std::initializer_list<ArgumentRef> arguments,
                    std::initializer_list<AttrRef> attrs) {
  if (!at.scope().ok()) return Operation();
  AttrMap values;
  for (const AttrRef& attr : attrs) values.emplace(attr.name(), attr.value());
  return Build(at, op, {arguments.begin(), arguments.size()}, std::move(values));
}

Output OutputAt(const Operation& operation, int index) {
  const std::vector<Output> outputs = OutputList(operation, index);
  return outputs.empty() ? Output() : outputs[0];
}

}  // namespace millrace::builder
