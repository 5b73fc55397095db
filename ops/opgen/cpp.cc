#include "millrace/ops/opgen/cpp.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "millrace/proto/value/strings.h"

namespace millrace::opgen {
namespace {

constexpr size_t kColumns = 100;

// Sorted. The last are names that the functions use.
constexpr std::string_view kWords[] = {
    "alignas",     "alignof",  "and",        "and_eq",    "asm",       "auto",         "bitand",
    "bitor",       "bool",     "break",      "case",      "catch",     "char",         "char16_t",
    "char32_t",    "char8_t",  "class",      "co_await",  "co_return", "co_yield",     "compl",
    "concept",     "const",    "const_cast", "consteval", "constexpr", "constinit",    "continue",
    "decltype",    "default",  "delete",     "do",        "double",    "dynamic_cast", "else",
    "enum",        "explicit", "export",     "extern",    "false",     "float",        "for",
    "friend",      "goto",     "if",         "inline",    "int",       "long",         "mutable",
    "namespace",   "new",      "noexcept",   "not",       "not_eq",    "nullptr",      "operator",
    "or",          "or_eq",    "private",    "protected", "public",    "register",     "reinterpret_cast",
    "requires",    "return",   "short",      "signed",    "sizeof",    "static",       "static_assert",
    "static_cast", "struct",   "switch",     "template",  "this",      "thread_local", "throw",
    "true",        "try",      "typedef",    "typeid",    "typename",  "union",        "unsigned",
    "using",       "virtual",  "void",       "volatile",  "wchar_t",   "while",        "xor",
    "xor_eq",
};
constexpr std::string_view kOwnNames[] = {"at", "attrs", "builder", "operation", "outputs"};

template <typename Range>
bool Contains(const Range& range, std::string_view name) {
  return std::find(std::begin(range), std::end(range), name) != std::end(range);
}

std::string Quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (char c : text) {
    if (c == quote || c == '\\') out += '\\';
    if (c == '\n') out += "\\n";
    else out += c;
  }
  return out + quote;
}

std::string Number(float v) {
  char buffer[32];
  const auto end = std::to_chars(std::begin(buffer), std::end(buffer), v).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

// DType::kFloat from "float".
std::string DTypeText(DType t) {
  std::string name = DTypeName(t);
  if (t == DType::kInvalid) return "DType::kInvalid";
  name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return "DType::k" + name;
}

std::string ShapeText(const Shape& shape) {
  if (!shape.has_rank()) return "::millrace::Shape::UnknownRank()";
  return shape.rank() == 0 ? "::millrace::Shape()" : Cat("::millrace::Shape({", Join(shape.ToVector(), ", "), "})");
}

// Type and initializer of one value. `Shape` is an op too, hence the full name.
struct Kind {
  std::string_view attr, type;
  bool by_value;
};
constexpr Kind kKinds[] = {
    {"string", "std::string", false},
    {"int", "int64_t", true},
    {"float", "float", true},
    {"bool", "bool", true},
    {"type", "DType", true},
    {"shape", "::millrace::Shape", false},
    {"tensor", "::millrace::Tensor", false},
    {"func", "FuncValue", false},
};

const Kind* Find(std::string_view attr_type) {
  for (const Kind& kind : kKinds) {
    if (kind.attr == attr_type) return &kind;
  }
  return nullptr;
}

template <typename Range, typename Text>
std::string Braced(const Range& values, const Text& text) {
  std::string out = "{";
  bool first = true;
  for (const auto& v : values) {
    if (!first) out += ", ";
    out += text(v);
    first = false;
  }
  return out + "}";
}

}  // namespace

std::string Identifier(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c == '.' || c == '-') c = '_';
  }
  if (Contains(kWords, out) || Contains(kOwnNames, out)) out += "_";
  return out;
}

std::string TypeOf(std::string_view attr_type) {
  if (attr_type.starts_with("list(")) {
    return Cat("std::vector<", TypeOf(attr_type.substr(5, attr_type.size() - 6)), ">");
  }
  const Kind* kind = Find(attr_type);
  return std::string(kind == nullptr ? "AttrValue" : kind->type);
}

std::string ParameterOf(std::string_view attr_type) {
  const Kind* kind = Find(attr_type);
  const std::string type = TypeOf(attr_type);
  return kind != nullptr && kind->by_value ? type : Cat("const ", type, "&");
}

Result<std::string> Initializer(std::string_view attr_type, const AttrValue& value) {
  if (const auto* s = value.get<std::string>()) return Quoted(*s, '"');
  if (const auto* i = value.get<int64_t>()) return Cat(*i);
  if (const auto* f = value.get<float>()) return Number(*f) + "f";
  if (const auto* b = value.get<bool>()) return Cat(*b);
  if (const auto* t = value.get<DType>()) return DTypeText(*t);
  if (const auto* s = value.get<ShapeValue>()) return ShapeText(s->shape);
  if (const auto* list = value.get<ListValue>(); list != nullptr && list->tensor.empty() && list->func.empty()) {
    if (attr_type == "list(string)") return Braced(list->s, [](const std::string& s) { return Quoted(s, '"'); });
    if (attr_type == "list(float)") return Braced(list->f, [](float f) { return Number(f) + "f"; });
    if (attr_type == "list(bool)") return Braced(list->b, [](bool b) { return Cat(b); });
    if (attr_type == "list(type)") return Braced(list->type, DTypeText);
    if (attr_type == "list(shape)") return Braced(list->shape, [](const ShapeValue& s) { return ShapeText(s.shape); });
    return Braced(list->i, [](int64_t i) { return Cat(i); });
  }
  return Unimplemented(Cat("expected a default that can be written in C++, found ", value.ToString()));
}

std::string Shown(const AttrValue& value) {
  if (const auto* s = value.get<std::string>()) return Quoted(*s, '\'');
  if (const auto* t = value.get<DType>()) return DTypeName(*t);
  if (const auto* list = value.get<ListValue>(); list != nullptr && !list->type.empty()) {
    std::vector<std::string> names;
    for (DType t : list->type) names.push_back(DTypeName(t));
    return Join(names, ", ");
  }
  if (const auto* list = value.get<ListValue>(); list != nullptr && !list->s.empty()) {
    std::vector<std::string> texts;
    for (const std::string& s : list->s) texts.push_back(Quoted(s, '\''));
    return Join(texts, ", ");
  }
  return value.ToString();
}

std::string Wrapped(std::string_view text, std::string_view start, std::string_view indent) {
  std::string out, line(start);
  bool empty = true;
  const auto flush = [&] {
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out += line + "\n";
    line = indent;
    empty = true;
  };
  while (!text.empty()) {
    const size_t end = text.find_first_of(" \n");
    const std::string_view word = text.substr(0, end);
    if (!word.empty()) {
      if (!empty && line.size() + 1 + word.size() > kColumns) flush();
      if (!empty) line += ' ';
      line += word;
      empty = false;
    }
    if (end == std::string_view::npos) break;
    if (text[end] == '\n') flush();
    text.remove_prefix(end + 1);
  }
  if (!empty) flush();
  return out;
}

}  // namespace millrace::opgen
