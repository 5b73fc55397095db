// What shells complete, written from the very options that the parser knows.
#include <cstdio>

#include "millrace/proto/value/strings.h"
#include "millrace/tools/graphc/graphc.h"
#include "millrace/tools/graphc/options.h"

namespace millrace::graphc {
namespace {

struct Option {
  std::vector<std::string> names;  // "-o", "--output"
  std::string what;
  bool takes_value = false;
  std::vector<std::string> words;  // one of these, or anything where there is none
};

struct Command {
  std::string name, what;
  std::vector<Option> options;
};

std::vector<std::string> SplitWords(const std::string& text) {
  std::vector<std::string> words;
  size_t at = 0;
  while (true) {
    const size_t end = text.find('|', at);
    words.push_back(text.substr(at, end - at));
    if (end == std::string::npos) return words;
    at = end + 1;
  }
}

void Read(const CLI::App& app, Command* command) {
  for (const CLI::Option* option : app.get_options([](const CLI::Option* o) { return o->nonpositional(); })) {
    Option& out = command->options.emplace_back();
    for (const std::string& name : option->get_snames()) out.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) out.names.push_back("--" + name);
    out.what = option->get_description();
    out.takes_value = option->get_items_expected_max() > 0;
    // As OneOf has it.
    const std::string text = option->get_option_text();
    if (text.find('|') != std::string::npos) out.words = SplitWords(text);
  }
}

// Of the whole program; its own options count for each command.
std::vector<Command> Commands(const CLI::App& app) {
  std::vector<Command> commands;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    Command& command = commands.emplace_back(Command{sub->get_name(), sub->get_description(), {}});
    Read(*sub, &command);
    for (const CLI::Option* option : app.get_options()) {
      for (const char* name : {"ops", "limit"}) {
        if (!option->check_lname(name)) continue;
        command.options.push_back({{Cat("--", name)}, option->get_description(), true, {}});
      }
    }
  }
  return commands;
}

// In single quotes.
std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::vector<std::string> AllNames(const Command& command) {
  std::vector<std::string> names;
  for (const Option& option : command.options) names.insert(names.end(), option.names.begin(), option.names.end());
  return names;
}

std::string Bash(const std::vector<Command>& commands) {
  std::vector<std::string> names;
  std::string options, words;
  for (const Command& command : commands) {
    names.push_back(command.name);
    options += Cat("      ", command.name, ") words=", Quoted(Join(AllNames(command), " ")), " ;;\n");
    for (const Option& option : command.options) {
      if (option.words.empty()) continue;
      for (const std::string& name : option.names) {
        words += Cat("    ", command.name, ",", name, ") words=", Quoted(Join(option.words, " ")), " ;;\n");
      }
    }
  }
  return Cat(R"(# graphc in bash: source <(graphc completion bash)
_graphc() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command= words= word
  # "--codegen=o" comes as three words.
  if [[ $current == = ]]; then current=
  elif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      )",
             Join(names, "|"), R"() command=$word; break ;;
    esac
  done
  case $command,$previous in
)",
             words, R"(  esac
  if [[ -z $words && -z $command ]]; then
    words=')",
             Join(names, " "), R"( --help'
  elif [[ -z $words && $current == -* ]]; then
    case $command in
)",
             options, R"(    esac
  fi
  # Without words of its own the shell completes files.
  COMPREPLY=()
  [[ -z $words ]] || COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _graphc graphc
)");
}

// Zsh reads brackets and colons in descriptions.
std::string ZshText(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string Zsh(const std::vector<Command>& commands) {
  std::string names, cases;
  for (const Command& command : commands) {
    names += Cat("    ", Quoted(Cat(command.name, ":", ZshText(command.what))), "\n");
    cases += Cat("      ", command.name, ")\n        _arguments \\\n");
    for (const Option& option : command.options) {
      for (const std::string& name : option.names) {
        std::string spec = Cat("*", name, "[", ZshText(option.what), "]");
        if (option.takes_value) {
          spec += Cat(":value:", option.words.empty() ? "_files" : Cat("(", Join(option.words, " "), ")"));
        }
        cases += Cat("          ", Quoted(spec), " \\\n");
      }
    }
    cases += "          '*:file:_files' ;;\n";
  }
  return Cat(R"(#compdef graphc
# graphc in zsh: graphc completion zsh > FOLDER_OF_FPATH/_graphc
_graphc() {
  local context state line
  local -a commands
  commands=(
)",
             names, R"(  )
  _arguments -C '--help[what there is]' '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
    case $words[1] in
)",
             cases, R"(    esac ;;
  esac
}
_graphc "$@"
)");
}

// In double quotes, where fish reads $ and backslashes.
std::string FishText(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '$' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string Fish(const std::vector<Command>& commands) {
  std::string out = "# graphc in fish: graphc completion fish > ~/.config/fish/completions/graphc.fish\n";
  for (const Command& command : commands) {
    out +=
        Cat("complete -c graphc -n __fish_use_subcommand -f -a ", command.name, " -d ", FishText(command.what), "\n");
  }
  for (const Command& command : commands) {
    for (const Option& option : command.options) {
      out += Cat("complete -c graphc -n \"__fish_seen_subcommand_from ", command.name, "\"");
      for (const std::string& name : option.names) {
        out += name.starts_with("--") ? Cat(" -l ", name.substr(2)) : Cat(" -s ", name.substr(1));
      }
      if (!option.words.empty()) out += Cat(" -x -a ", FishText(Join(option.words, " ")));
      else if (option.takes_value) out += " -r";
      out += Cat(" -d ", FishText(option.what), "\n");
    }
  }
  return out;
}

}  // namespace

void AddCompletion(CLI::App& app, Outcome*) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "what makes a shell complete graphc's commands and options");
  OneOf(command->add_option("shell", *shell, "the shell"), {"bash", "zsh", "fish"})->required();
  command->footer(
      "Examples:\n"
      "  source <(graphc completion bash)                                        in ~/.bashrc\n"
      "  graphc completion zsh > ~/.zfunc/_graphc                                 a folder of $fpath\n"
      "  graphc completion fish > ~/.config/fish/completions/graphc.fish\n");
  command->callback([shell, &app] {
    const std::vector<Command> commands = Commands(app);
    const std::string text = *shell == "bash" ? Bash(commands) : *shell == "zsh" ? Zsh(commands) : Fish(commands);
    std::fwrite(text.data(), 1, text.size(), stdout);
  });
}

}  // namespace millrace::graphc
