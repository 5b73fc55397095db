#include "millrace/tools/graphc/parse.h"

#include <charconv>

#include "millrace/proto/value/strings.h"

namespace millrace::graphc {
namespace {

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

}  // namespace

std::string TensorName(const std::string& name) { return name.find(':') == std::string::npos ? name + ":0" : name; }

std::vector<std::string> TensorNames(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) out.push_back(TensorName(name));
  return out;
}

Result<SignatureSpec> ParseSignature(const std::string& text) {
  SignatureSpec spec;
  const size_t colon = text.find(':');
  if (colon == std::string::npos) {
    return InvalidArgument(Cat("--signature '", text, "': expected 'NAME: feed=A,B fetch=C target=D'"));
  }
  spec.name = text.substr(0, colon);
  for (const std::string& part : Split(std::string_view(text).substr(colon + 1), ' ')) {
    const size_t equals = part.find('=');
    const std::string key = part.substr(0, equals);
    const auto values = equals == std::string::npos ? std::vector<std::string>()
                                                    : Split(std::string_view(part).substr(equals + 1), ',');
    if (key == "feed") spec.feeds = TensorNames(values);
    else if (key == "fetch") spec.fetches = TensorNames(values);
    else if (key == "target") spec.targets = values;
    else return InvalidArgument(Cat("--signature '", text, "': found '", key, "', expected feed, fetch or target"));
  }
  return spec;
}

Result<std::map<std::string, int64_t>> ParseDims(const std::vector<std::string>& dims) {
  std::map<std::string, int64_t> out;
  for (const std::string& text : dims) {
    const size_t equals = text.rfind('=');
    int64_t value = -1;
    if (equals != std::string::npos) {
      const char* const end = text.data() + text.size();
      const auto [at, error] = std::from_chars(text.data() + equals + 1, end, value);
      if (error != std::errc() || at != end) value = -1;
    }
    if (value < 0) return InvalidArgument(Cat("--dim ", text, ": expected NAME.AXIS=NUMBER, as x.0=8"));
    out[text.substr(0, equals)] = value;
  }
  return out;
}

Result<std::pair<std::string, std::vector<int64_t>>> ParseNumbers(const std::string& text, const char* option) {
  const size_t equals = text.rfind('=');
  std::vector<int64_t> numbers;
  if (equals == std::string::npos) return InvalidArgument(Cat(option, " ", text, ": expected NAME=NUMBER,NUMBER"));
  const char* at = text.data() + equals + 1;
  const char* const end = text.data() + text.size();
  while (at != end) {
    int64_t number = -1;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc() || number < 0 || (next != end && *next != ',')) {
      return InvalidArgument(Cat(option, " ", text, ": expected numbers of 0 and more"));
    }
    numbers.push_back(number);
    at = next == end ? end : next + 1;
  }
  return std::make_pair(TensorName(text.substr(0, equals)), std::move(numbers));
}

Result<ValueSource> ParseValueSource(const std::string& text, const char* option) {
  ValueSource source;
  const size_t equals = text.find('=');
  if (equals == 0 || equals >= text.size() - 1) {
    return InvalidArgument(Cat(option, " ", text, ": expected NAME=FILE.npy or NAME=FILE.npz[ARRAY]"));
  }
  source.name = text.substr(0, equals);
  source.file = text.substr(equals + 1);
  const size_t bracket = source.file.find(".npz[");
  if (bracket != std::string::npos && source.file.ends_with(']')) {
    source.member = source.file.substr(bracket + 5, source.file.size() - bracket - 6);
    source.file.resize(bracket + 4);
  }
  return source;
}

}  // namespace millrace::graphc
