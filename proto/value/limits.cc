#include "millrace/proto/value/limits.h"

#include <charconv>
#include <cstdlib>
#include <string>

#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

Status SetOne(std::string_view text, Limits* limits) {
  const size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  std::vector<std::string> names;
  for (const LimitInfo& limit : AllLimits()) {
    names.emplace_back(limit.name);
    if (name != limit.name) continue;
    const std::string_view number = equals == std::string_view::npos ? "" : text.substr(equals + 1);
    int64_t value = -1;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (number.empty() || error != std::errc() || end != number.data() + number.size() || value < 0) {
      return InvalidArgument(Cat("limit ", name, ": expected a number of 0 or more, found '", number, "'"));
    }
    limits->*limit.value = value;
    return OkStatus();
  }
  return InvalidArgument(Cat("there is no limit '", name, "', expected one of ", Join(names, ", ")));
}

}  // namespace

const std::vector<LimitInfo>& AllLimits() {
  static const auto* const all = new std::vector<LimitInfo>{
      {"file_bytes", &Limits::file_bytes},         {"file_nodes", &Limits::file_nodes},
      {"message_depth", &Limits::message_depth},   {"tensor_bytes", &Limits::tensor_bytes},
      {"compile_nodes", &Limits::compile_nodes},   {"clusters", &Limits::clusters},
      {"constant_bytes", &Limits::constant_bytes}, {"memory_bytes", &Limits::memory_bytes},
  };
  return *all;
}

Status SetLimits(std::string_view text, Limits* limits) {
  Limits changed = *limits;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    MR_RETURN_IF_ERROR(SetOne(text.substr(0, comma), &changed));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  *limits = changed;
  return OkStatus();
}

Result<Limits> LimitsFromEnvironment(Limits limits) {
  const char* const text = std::getenv("MILLRACE_LIMITS");
  if (text == nullptr) return limits;
  const Status status = SetLimits(text, &limits);
  if (!status.ok()) return Status(status.code(), Cat("MILLRACE_LIMITS: ", status.message()));
  return limits;
}

Status PastLimit(std::string_view what, std::string_view name, int64_t limit, uint64_t found) {
  return ResourceExhausted(Cat(what, ": the limit ", name, " is ", limit, ", found ", found));
}

}  // namespace millrace
