// Text for messages. Millrace's headers speak std::string_view; Debian's Abseil
// has a string_view type of its own, so these few calls wrap it.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace millrace {
namespace strings_internal {

inline void Append(std::string& out, std::string_view s) { out.append(s); }
inline void Append(std::string& out, const char* s) { out.append(s); }
inline void Append(std::string& out, char c) { out.push_back(c); }
inline void Append(std::string& out, bool b) { out.append(b ? "true" : "false"); }
template <std::integral T>
void Append(std::string& out, T v) {
  out.append(std::to_string(v));
}
// Shortest text that reads back as the same number.
void AppendDouble(std::string& out, double v);
template <std::floating_point T>
void Append(std::string& out, T v) {
  AppendDouble(out, v);
}

}  // namespace strings_internal

// Cat("expected ", 3, " found ", name): the parts, one after the other.
template <typename... Parts>
std::string Cat(const Parts&... parts) {
  std::string out;
  (strings_internal::Append(out, parts), ...);
  return out;
}

// Join({"a", "b"}, ", ") is "a, b".
template <typename Range>
std::string Join(const Range& range, std::string_view separator) {
  std::string out;
  bool first = true;
  for (const auto& part : range) {
    if (!first) out.append(separator);
    strings_internal::Append(out, part);
    first = false;
  }
  return out;
}

}  // namespace millrace
