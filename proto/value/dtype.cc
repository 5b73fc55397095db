#include "millrace/proto/value/dtype.h"

#include <array>

namespace millrace {
namespace {

enum class Class : uint8_t { kFloating, kInteger, kComplex, kQuantized, kOther };

struct Info {
  std::string_view name;   // of the registry's text
  std::string_view wire;   // of the wire's enum, without "DT_"
  std::string_view alias;  // what NumPy calls it, where that differs
  uint8_t size;
  Class cls;
};

// Indexed by number - 1.
constexpr std::array<Info, 23> kInfo = {{
    {"float", "FLOAT", "float32", 4, Class::kFloating}, {"double", "DOUBLE", "float64", 8, Class::kFloating},
    {"int32", "INT32", "", 4, Class::kInteger},         {"uint8", "UINT8", "", 1, Class::kInteger},
    {"int16", "INT16", "", 2, Class::kInteger},         {"int8", "INT8", "", 1, Class::kInteger},
    {"string", "STRING", "", 0, Class::kOther},         {"complex64", "COMPLEX64", "", 8, Class::kComplex},
    {"int64", "INT64", "", 8, Class::kInteger},         {"bool", "BOOL", "", 1, Class::kOther},
    {"qint8", "QINT8", "", 1, Class::kQuantized},       {"quint8", "QUINT8", "", 1, Class::kQuantized},
    {"qint32", "QINT32", "", 4, Class::kQuantized},     {"bfloat16", "BFLOAT16", "", 2, Class::kFloating},
    {"qint16", "QINT16", "", 2, Class::kQuantized},     {"quint16", "QUINT16", "", 2, Class::kQuantized},
    {"uint16", "UINT16", "", 2, Class::kInteger},       {"complex128", "COMPLEX128", "", 16, Class::kComplex},
    {"half", "HALF", "float16", 2, Class::kFloating},   {"resource", "RESOURCE", "", 0, Class::kOther},
    {"variant", "VARIANT", "", 0, Class::kOther},       {"uint32", "UINT32", "", 4, Class::kInteger},
    {"uint64", "UINT64", "", 8, Class::kInteger},
}};

const Info* Find(DType t) {
  const int32_t number = static_cast<int32_t>(BaseType(t));
  return number >= 1 && number <= static_cast<int32_t>(kInfo.size()) ? &kInfo[static_cast<size_t>(number - 1)]
                                                                     : nullptr;
}
bool Is(DType t, Class cls) {
  const Info* info = Find(t);
  return info != nullptr && info->cls == cls;
}

}  // namespace

bool IsValid(DType t) { return Find(t) != nullptr; }

size_t ElementSize(DType t) {
  const Info* info = Find(t);
  return info == nullptr ? 0 : info->size;
}

bool IsFloating(DType t) { return Is(t, Class::kFloating); }
bool IsInteger(DType t) { return Is(t, Class::kInteger); }
bool IsComplex(DType t) { return Is(t, Class::kComplex); }
bool IsQuantized(DType t) { return Is(t, Class::kQuantized); }

std::string DTypeName(DType t) {
  if (t == DType::kInvalid) return "invalid";
  const Info* info = Find(t);
  if (info == nullptr) return "dtype(" + std::to_string(static_cast<int32_t>(t)) + ")";
  return std::string(info->name) + (IsRef(t) ? "_ref" : "");
}

std::optional<DType> ParseDType(std::string_view name) {
  const bool wire = name.starts_with("DT_");
  if (wire) name.remove_prefix(3);
  const std::string_view suffix = wire ? "_REF" : "_ref";
  const bool ref = name.ends_with(suffix);
  if (ref) name.remove_suffix(suffix.size());
  // Definitions of ops ask thousands of times when a process starts, for the names of attributes ("T") too.
  if (name.empty() || (!wire && (name[0] < 'a' || name[0] > 'z'))) return std::nullopt;
  for (const auto spelling : {wire ? &Info::wire : &Info::name, &Info::alias}) {
    for (size_t i = 0; i < kInfo.size(); ++i) {
      const std::string_view known = kInfo[i].*spelling;
      if (known.size() != name.size() || known[0] != name[0] || known != name) continue;
      const auto t = static_cast<DType>(i + 1);
      return ref ? MakeRef(t) : t;
    }
    if (wire) break;
  }
  return std::nullopt;
}

}  // namespace millrace
