#include <charconv>
#include <cstring>

#include "millrace/devices/api/buffer.h"
#include "millrace/ops/user/load_ops.h"
#include "millrace/proto/plan/layout.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tools/graphc/graphc.h"

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

std::vector<std::string>& OpsFiles() {
  static auto* const files = new std::vector<std::string>;
  return *files;
}

}  // namespace

void AddOpsFiles(CLI::App& app) {
  app.add_option("--ops", OpsFiles(), "shared object with ops of your own; repeat it for more")
      ->allow_extra_args(false);
  app.fallthrough();
}

Result<const Registry*> AllOps() {
  static Registry* registry = nullptr;
  if (OpsFiles().empty()) return &Registry::BuiltIn();
  if (registry != nullptr) return registry;
  registry = Registry::Extending().release();  // as long as the process
  for (const std::string& file : OpsFiles()) MR_RETURN_IF_ERROR(LoadOps(file, registry));
  return registry;
}

Result<bool> IsPlanFile(const std::string& path) {
  MR_ASSIGN_OR_RETURN(Buffer file, Buffer::MapFile(path));
  return file.size() >= sizeof plan::layout::kMagic &&
         std::memcmp(file.data(), plan::layout::kMagic, sizeof plan::layout::kMagic) == 0;
}

std::string TensorName(const std::string& name) { return name.find(':') == std::string::npos ? name + ":0" : name; }

std::vector<std::string> TensorNames(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) out.push_back(TensorName(name));
  return out;
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

void AddCodegen(CLI::App* command, CompileOptions* options) {
  options->code.codegen = Codegen::kAuto;
  options->code = FromEnvironment(options->code);
  command->add_option("--codegen", options->code.codegen, "machine code for clusters: off, on, auto (where it pays)")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Codegen>{{"off", Codegen::kOff}, {"on", Codegen::kOn}, {"auto", Codegen::kAuto}}))
      ->option_text("off|on|auto");
}

void SignatureArguments::AddTo(CLI::App* command) {
  command->add_option("--feed", feeds, "tensor that is fed: x or x:0")->delimiter(',');
  command->add_option("--fetch", fetches, "tensor to compute: y or y:0")->delimiter(',');
  command->add_option("--target", targets, "node to run for its effects")->delimiter(',');
  command->add_option("--signature", signatures,
                      "a named entry point, 'train: feed=x,y fetch=loss target=train'; repeat it for more");
}

Result<std::vector<SignatureSpec>> SignatureArguments::Parse() const {
  std::vector<SignatureSpec> specs;
  for (const std::string& text : signatures) {
    MR_ASSIGN_OR_RETURN(SignatureSpec spec, ParseSignature(text));
    specs.push_back(std::move(spec));
  }
  if (!fetches.empty() || !targets.empty()) {
    SignatureSpec spec;
    spec.feeds = TensorNames(feeds);
    spec.fetches = TensorNames(fetches);
    spec.targets = targets;
    specs.push_back(std::move(spec));
  }
  if (specs.empty()) return InvalidArgument("nothing asked for: give --fetch, --target or --signature");
  return specs;
}

}  // namespace millrace::graphc
