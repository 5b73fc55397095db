#include "millrace/tools/graphc/show.h"

#include <complex>

#include "millrace/proto/value/attr.h"
#include "millrace/proto/value/strings.h"

namespace millrace::graphc {
namespace {

constexpr int64_t kShown = 12;

// As AttrValue has it.
template <typename T>
std::string ShowComplex(std::complex<T> v) {
  return Cat("(", v.real(), ",", v.imag(), ")");
}

}  // namespace

std::string ShowElement(const Tensor& t, size_t i) {
  switch (t.dtype()) {
    case DType::kFloat:
      return Cat(t.elements<float>()[i]);
    case DType::kDouble:
      return Cat(t.elements<double>()[i]);
    case DType::kHalf:
      return Cat(static_cast<float>(t.elements<Half>()[i]));
    case DType::kBfloat16:
      return Cat(static_cast<float>(t.elements<BFloat16>()[i]));
    case DType::kInt8:
      return Cat(int{t.elements<int8_t>()[i]});
    case DType::kInt16:
      return Cat(t.elements<int16_t>()[i]);
    case DType::kInt32:
      return Cat(t.elements<int32_t>()[i]);
    case DType::kInt64:
      return Cat(t.elements<int64_t>()[i]);
    case DType::kUint8:
      return Cat(int{t.elements<uint8_t>()[i]});
    case DType::kUint16:
      return Cat(t.elements<uint16_t>()[i]);
    case DType::kUint32:
      return Cat(t.elements<uint32_t>()[i]);
    case DType::kUint64:
      return Cat(t.elements<uint64_t>()[i]);
    case DType::kBool:
      return Cat(t.elements<bool>()[i]);
    case DType::kComplex64:
      return ShowComplex(t.elements<std::complex<float>>()[i]);
    case DType::kComplex128:
      return ShowComplex(t.elements<std::complex<double>>()[i]);
    case DType::kString:
      return AttrValue(t.elements<std::string>()[i]).ToString();
    default:
      return "?";
  }
}

std::string Show(const Tensor& tensor) {
  std::string out = Cat(DTypeName(tensor.dtype()), tensor.shape().ToString(), " ");
  if (tensor.shape().rank() > 0) out += "[";
  for (int64_t i = 0; i < std::min(tensor.num_elements(), kShown); ++i) {
    if (i > 0) out += " ";
    out += ShowElement(tensor, static_cast<size_t>(i));
  }
  if (tensor.num_elements() > kShown) out += " ...";
  if (tensor.shape().rank() > 0) out += "]";
  return out;
}

std::string Show(const GraphDef& graph) {
  std::string out;
  for (const NodeDef& node : graph.nodes) {
    out += Cat(node.name, " = ", node.op, "(", Join(node.inputs, ", "), ")");
    bool first = true;
    for (const auto& [name, value] : node.attrs) {
      if (name.starts_with("_")) continue;
      out += Cat(first ? " {" : ", ", name, "=", value.ToString());
      first = false;
    }
    out += first ? "" : "}";
    if (!node.device.empty()) out += " on " + node.device;
    out += "\n";
  }
  return out;
}

}  // namespace millrace::graphc
