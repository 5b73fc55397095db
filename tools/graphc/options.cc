#include "millrace/tools/graphc/options.h"

#include <map>

#include "millrace/proto/value/strings.h"
#include "millrace/tools/graphc/parse.h"

namespace millrace::graphc {

CLI::Option* AddFile(CLI::App* command, const std::string& name, std::string& path, const std::string& what) {
  return command->add_option(name, path, what)->option_text("FILE");
}

CLI::Option* AddList(CLI::App* command, const std::string& name, std::vector<std::string>& values,
                     const std::string& what) {
  return command->add_option(name, values, what)->allow_extra_args(false);
}

CLI::Option* OneOf(CLI::Option* option, const std::vector<std::string>& words) {
  return option->check(CLI::IsMember(words))->option_text(Join(words, "|"));
}

CLI::Option* AddThreads(CLI::App* command, int* threads) {
  return Between(command->add_option("--threads", *threads, "threads a run may use; 0: one a core"), 0, 4096);
}

void AddPasses(CLI::App* command, std::vector<std::string>* disabled) {
  AddList(command, "--disable-pass", *disabled,
          "leave out a pass of the compiler (see: graphc opt --list); 'all' that can be");
}

void AddCodegen(CLI::App* command, CompileOptions* options) {
  options->code.codegen = Codegen::kAuto;
  options->code = FromEnvironment(options->code);
  command->add_option("--codegen", options->code.codegen, "machine code for clusters: auto is where it pays")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Codegen>{{"off", Codegen::kOff}, {"on", Codegen::kOn}, {"auto", Codegen::kAuto}}))
      ->option_text("off|on|auto");
}

void SignatureArguments::AddTo(CLI::App* command) {
  AddList(command, "--feed", feeds, "tensor that is fed: x or x:0")->delimiter(',');
  AddList(command, "--fetch", fetches, "tensor to compute: y or y:0")->delimiter(',');
  AddList(command, "--target", targets, "node to run for its effects")->delimiter(',');
  AddList(command, "--signature", signatures,
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
  } else if (!feeds.empty() && !signatures.empty()) {
    return InvalidArgument("--feed goes with --fetch or --target; a --signature has its own, 'NAME: feed=A fetch=B'");
  }
  if (specs.empty()) return InvalidArgument("nothing asked for: give --fetch, --target or --signature");
  return specs;
}

}  // namespace millrace::graphc
