#include "millrace/proto/value/attr.h"

#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

constexpr size_t kShownText = 64;
constexpr size_t kShownElements = 8;
constexpr int kShownDepth = 4;

std::string Quoted(std::string_view s) {
  std::string out = "\"";
  static constexpr char kHex[] = "0123456789abcdef";
  for (char c : s.substr(0, kShownText)) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (u >= 0x20 && u < 0x7f) {
      out += c;
    } else {
      out += "\\x";
      out += kHex[u >> 4];
      out += kHex[u & 15];
    }
  }
  if (s.size() > kShownText) out += "...";
  return out + "\"";
}

std::string ToText(const AttrValue& v, int depth);

std::string ToText(const FuncValue& f, int depth) {
  std::string out = f.name;
  if (f.attrs == nullptr || f.attrs->empty()) return out;
  if (depth >= kShownDepth) return out + "[...]";
  out += '[';
  bool first = true;
  for (const auto& [name, value] : *f.attrs) {
    if (!first) out += ", ";
    first = false;
    out += name + "=" + ToText(value, depth + 1);
  }
  return out + "]";
}

template <typename T>
void AppendElements(std::string& out, const std::vector<T>& list) {
  for (size_t i = 0; i < list.size() && i < kShownElements; ++i) {
    if (i > 0) out += ',';
    if constexpr (std::is_same_v<T, std::string>) {
      out += Quoted(list[i]);
    } else if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
      out += Cat("(", list[i].real(), ",", list[i].imag(), ")");
    } else {
      out += Cat(static_cast<T>(list[i]));
    }
  }
  if (list.size() > kShownElements) out += ",...";
}

std::string ToText(const TensorValue& t) {
  std::string out = Cat(DTypeName(t.dtype), t.shape.ToString());
  if (!t.content.empty()) return out + Cat("{", t.content.size(), " bytes}");
  out += '{';
  AppendElements(out, t.half_val);
  AppendElements(out, t.float_val);
  AppendElements(out, t.double_val);
  AppendElements(out, t.int_val);
  AppendElements(out, t.string_val);
  AppendElements(out, t.scomplex_val);
  AppendElements(out, t.int64_val);
  AppendElements(out, t.bool_val);
  AppendElements(out, t.dcomplex_val);
  AppendElements(out, t.uint32_val);
  AppendElements(out, t.uint64_val);
  return out + "}";
}

std::string ToText(const ListValue& list, int depth) {
  std::string out = "[";
  bool first = true;
  const auto each = [&](const auto& elements, const auto& text) {
    size_t shown = 0;
    for (const auto& element : elements) {
      if (!first) out += ", ";
      first = false;
      if (++shown > 4 * kShownElements) {
        out += "...";
        break;
      }
      out += text(element);
    }
  };
  each(list.s, [](const std::string& s) { return Quoted(s); });
  each(list.i, [](int64_t i) { return Cat(i); });
  each(list.f, [](float f) { return Cat(f); });
  each(list.b, [](bool b) { return Cat(b); });
  each(list.type, [](DType t) { return DTypeName(t); });
  each(list.shape, [](const ShapeValue& s) { return s.shape.ToString(); });
  each(list.tensor, [](const auto& t) { return t == nullptr ? std::string("null") : ToText(*t); });
  each(list.func, [&](const FuncValue& f) { return ToText(f, depth); });
  return out + "]";
}

std::string ToText(const AttrValue& v, int depth) {
  switch (v.kind()) {
    case AttrValue::Kind::kNone:
      return "none";
    case AttrValue::Kind::kString:
      return Quoted(*v.get<std::string>());
    case AttrValue::Kind::kInt:
      return Cat(*v.get<int64_t>());
    case AttrValue::Kind::kFloat:
      return Cat(*v.get<float>());
    case AttrValue::Kind::kBool:
      return Cat(*v.get<bool>());
    case AttrValue::Kind::kType:
      return DTypeName(*v.get<DType>());
    case AttrValue::Kind::kShape:
      return v.get<ShapeValue>()->shape.ToString();
    case AttrValue::Kind::kTensor: {
      const auto& tensor = *v.get<std::shared_ptr<const TensorValue>>();
      return tensor == nullptr ? std::string("null") : ToText(*tensor);
    }
    case AttrValue::Kind::kPlaceholder:
      return "$" + v.get<AttrPlaceholder>()->name;
    case AttrValue::Kind::kFunc:
      return ToText(*v.get<FuncValue>(), depth);
    case AttrValue::Kind::kList:
      return ToText(*v.get<ListValue>(), depth);
  }
  return "none";
}

bool SameTensor(const std::shared_ptr<const TensorValue>& a, const std::shared_ptr<const TensorValue>& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

}  // namespace

bool operator==(const FuncValue& a, const FuncValue& b) {
  if (a.name != b.name) return false;
  if (a.attrs == b.attrs) return true;
  if (a.attrs == nullptr) return b.attrs->empty();
  if (b.attrs == nullptr) return a.attrs->empty();
  return *a.attrs == *b.attrs;
}

bool operator==(const ListValue& a, const ListValue& b) {
  if (a.s != b.s || a.i != b.i || a.f != b.f || a.b != b.b || a.type != b.type || a.shape != b.shape ||
      a.func != b.func || a.tensor.size() != b.tensor.size()) {
    return false;
  }
  for (size_t i = 0; i < a.tensor.size(); ++i) {
    if (!SameTensor(a.tensor[i], b.tensor[i])) return false;
  }
  return true;
}

bool operator==(const AttrValue& a, const AttrValue& b) {
  const auto* ta = a.get<std::shared_ptr<const TensorValue>>();
  const auto* tb = b.get<std::shared_ptr<const TensorValue>>();
  if (ta != nullptr && tb != nullptr) return SameTensor(*ta, *tb);
  return a.value_ == b.value_;
}

std::string AttrValue::ToString() const { return ToText(*this, 0); }

std::string_view KindName(AttrValue::Kind kind) {
  switch (kind) {
    case AttrValue::Kind::kNone:
      return "none";
    case AttrValue::Kind::kString:
      return "string";
    case AttrValue::Kind::kInt:
      return "int";
    case AttrValue::Kind::kFloat:
      return "float";
    case AttrValue::Kind::kBool:
      return "bool";
    case AttrValue::Kind::kType:
      return "type";
    case AttrValue::Kind::kShape:
      return "shape";
    case AttrValue::Kind::kTensor:
      return "tensor";
    case AttrValue::Kind::kPlaceholder:
      return "placeholder";
    case AttrValue::Kind::kFunc:
      return "func";
    case AttrValue::Kind::kList:
      return "list";
  }
  return "none";
}

}  // namespace millrace
