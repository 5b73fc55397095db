#include "millrace/ops/registry/effects.h"

namespace millrace {
namespace {

template <typename T>
const T* Attr(const AttrMap& attrs, const std::string& name) {
  const auto it = attrs.find(name);
  return it == attrs.end() ? nullptr : it->second.get<T>();
}

// The types of an argument that is a list of types, else null.
const std::vector<DType>* TypesOf(const ArgDef& arg, const AttrMap& attrs) {
  if (arg.type_list_attr.empty()) return nullptr;
  static const std::vector<DType>* const none = new std::vector<DType>;
  const ListValue* list = Attr<ListValue>(attrs, arg.type_list_attr);
  return list == nullptr ? none : &list->type;
}

int CountOf(const ArgDef& arg, const AttrMap& attrs) {
  if (const auto* types = TypesOf(arg, attrs)) return static_cast<int>(types->size());
  if (arg.number_attr.empty()) return 1;
  const int64_t* number = Attr<int64_t>(attrs, arg.number_attr);
  return number == nullptr ? 0 : static_cast<int>(*number);
}

}  // namespace

void VisitAccesses(const Op& op, const AttrMap& attrs, absl::FunctionRef<void(int input, bool write)> visit) {
  const std::vector<ArgDef>& inputs = op.signature().inputs;
  for (const Effect& effect : op.effects()) {
    if (effect.kind != Effect::Kind::kRead && effect.kind != Effect::Kind::kWrite) continue;
    const auto argument = static_cast<size_t>(effect.input);
    if (effect.input < 0 || argument >= inputs.size()) continue;
    int first = 0;
    for (size_t i = 0; i < argument; ++i) first += CountOf(inputs[i], attrs);
    const std::vector<DType>* types = TypesOf(inputs[argument], attrs);
    for (int i = 0, count = CountOf(inputs[argument], attrs); i < count; ++i) {
      if (types != nullptr && !inputs[argument].is_ref) {
        const DType type = (*types)[static_cast<size_t>(i)];
        if (!IsRef(type) && type != DType::kResource) continue;
      }
      visit(first + i, effect.kind == Effect::Kind::kWrite);
    }
  }
}

}  // namespace millrace
