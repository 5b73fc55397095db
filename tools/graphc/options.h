// Options that several commands have.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "millrace/compiler/api/compile.h"
#include "millrace/proto/value/strings.h"

namespace millrace::graphc {

// The argument of a command that is a file; shells complete it.
CLI::Option* AddFile(CLI::App* command, const std::string& name, std::string& path, const std::string& what);

// An option that is repeated for more; what follows its value is the next argument.
CLI::Option* AddList(CLI::App* command, const std::string& name, std::vector<std::string>& values,
                     const std::string& what);

// One of `words`, which --help and shells list.
CLI::Option* OneOf(CLI::Option* option, const std::vector<std::string>& words);

// A number from `low` to `high`, both among them; what it is without the option is in
// --help.
template <typename T>
CLI::Option* Between(CLI::Option* option, T low, T high) {
  const auto check = [low, high](const std::string& text) {
    T value{};
    // Written so that what is not a number is outside.
    if (CLI::detail::lexical_cast(text, value) && value >= low && value <= high) return std::string();
    return Cat("expected a number from ", low, " to ", high, ", found '", text, "'");
  };
  return option->capture_default_str()->check(CLI::Validator(check, ""));
}

// --threads.
CLI::Option* AddThreads(CLI::App* command, int* threads);

// --disable-pass: passes of the compiler to leave out.
void AddPasses(CLI::App* command, std::vector<std::string>* disabled);

// --codegen: whether clusters are compiled before the first run: where it pays,
// unless told otherwise. (A Session compiles them beside its runs.)
void AddCodegen(CLI::App* command, CompileOptions* options);

// Entry points of a graph as the command line gives them: either --feed,
// --fetch and --target for one, or --signature for each:
//   --signature 'train: feed=x,y fetch=loss target=train'
struct SignatureArguments {
  std::vector<std::string> feeds, fetches, targets, signatures;
  void AddTo(CLI::App* command);
  Result<std::vector<SignatureSpec>> Parse() const;
};

}  // namespace millrace::graphc
