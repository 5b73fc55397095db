#include "millrace/runtime/session/widen.h"

#include <unordered_map>
#include <unordered_set>

namespace millrace::numeric {
namespace {

// Calls visit with the plain numbers of the tensor, if it has such.
template <typename Visitor>
void VisitNumbers(const Tensor& t, const Visitor& visit) {
  const auto count = static_cast<size_t>(t.num_elements());
  switch (t.dtype()) {
    case DType::kHalf:
      return visit(t.elements<Half>());
    case DType::kBfloat16:
      return visit(t.elements<BFloat16>());
    case DType::kFloat:
      return visit(t.elements<float>());
    case DType::kDouble:
      return visit(t.elements<double>());
    case DType::kComplex64:
      return visit(std::span<float>(static_cast<float*>(t.data()), 2 * count));
    case DType::kComplex128:
      return visit(std::span<double>(static_cast<double*>(t.data()), 2 * count));
    default:
      return;
  }
}

double Wide(double v) { return v; }
double Wide(float v) { return v; }
double Wide(Half v) { return static_cast<double>(static_cast<float>(v)); }
double Wide(BFloat16 v) { return static_cast<double>(static_cast<float>(v)); }

Result<AttrValue> WidenedAttr(const AttrValue& attr) {
  if (const DType* type = attr.get<DType>()) return AttrValue(Widened(*type));
  if (const ListValue* list = attr.get<ListValue>()) {
    ListValue wide = *list;
    for (DType& type : wide.type) type = Widened(type);
    return AttrValue(std::move(wide));
  }
  if (const auto* tensor = attr.get<std::shared_ptr<const TensorValue>>()) {
    if (*tensor == nullptr || Widened((*tensor)->dtype) == (*tensor)->dtype) return attr;
    MR_ASSIGN_OR_RETURN(const Tensor value, Tensor::FromValue(**tensor, HostAllocator()));
    const Tensor wide = Widened(value);
    if (!wide.valid()) return ResourceExhausted("no memory for the constants in double");
    return AttrValue(wide.ToValue());
  }
  return attr;
}

// "x" of "x:1", "^x" and "x".
std::string NodeOf(const std::string& input) {
  const size_t begin = input.starts_with("^") ? 1 : 0;
  return input.substr(begin, input.find(':') - begin);
}

}  // namespace

DType Widened(DType type) {
  DType wide = BaseType(type);
  if (IsFloating(wide)) wide = DType::kDouble;
  if (IsComplex(wide)) wide = DType::kComplex128;
  return IsRef(type) ? MakeRef(wide) : wide;
}

std::vector<double> Numbers(const Tensor& tensor) {
  std::vector<double> numbers;
  VisitNumbers(tensor, [&](auto elements) {
    numbers.reserve(elements.size());
    for (const auto& e : elements) numbers.push_back(Wide(e));
  });
  return numbers;
}

Tensor FromNumbers(DType type, const Shape& shape, const std::vector<double>& numbers) {
  Result<Tensor> tensor = Tensor::New(type, shape, HostAllocator());
  if (!tensor.ok()) return Tensor();
  VisitNumbers(*tensor, [&](auto elements) {
    using T = typename decltype(elements)::value_type;
    for (size_t i = 0; i < elements.size() && i < numbers.size(); ++i) {
      if constexpr (std::is_same_v<T, double>) elements[i] = numbers[i];
      else elements[i] = T(static_cast<float>(numbers[i]));
    }
  });
  return *tensor;
}

Tensor Widened(const Tensor& tensor) {
  const DType wide = Widened(tensor.dtype());
  return wide == tensor.dtype() ? tensor : FromNumbers(wide, tensor.shape(), Numbers(tensor));
}

Result<GraphDef> Widened(GraphDef def) {
  for (NodeDef& node : def.nodes) {
    for (auto& [name, attr] : node.attrs) {
      MR_ASSIGN_OR_RETURN(attr, WidenedAttr(attr));
    }
  }
  return def;
}

GraphDef Pruned(const GraphDef& def, const std::vector<std::string>& roots) {
  std::unordered_map<std::string, const NodeDef*> by_name;
  for (const NodeDef& node : def.nodes) by_name.emplace(node.name, &node);
  std::unordered_set<const NodeDef*> kept;
  std::vector<const NodeDef*> open;
  auto visit = [&](const std::string& input) {
    const auto it = by_name.find(NodeOf(input));
    if (it != by_name.end() && kept.insert(it->second).second) open.push_back(it->second);
  };
  for (const std::string& root : roots) visit(root);
  while (!open.empty()) {
    const NodeDef* node = open.back();
    open.pop_back();
    for (const std::string& input : node->inputs) visit(input);
  }
  GraphDef out = def;
  std::erase_if(out.nodes, [&](const NodeDef& node) { return !kept.contains(by_name.at(node.name)); });
  return out;
}

}  // namespace millrace::numeric
